"""The README, tried as its reader would: its commands are run in order and say what it says that they say."""

import os
import re
import shlex
import subprocess
import tempfile
import unittest

import document

LINES_MAX = 100
FIRST_TASK_BY_LINE = 20

# What differs from run to run, in the order of replacement.
VOLATILE = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
    (r"(after|completed) +[\d.]+ (ms|s|min)\b", r"\1 DURATION"),
    (r" on \S+$", " on HOST"),
    (r" +", " "),
]


def stable(text):
    lines = []
    for line in text.strip().splitlines():
        for pattern, word in VOLATILE:
            line = re.sub(pattern, word, line)
        lines.append(line.rstrip())
    return lines


def steps(block):
    """Pairs of a command and the lines that it prints."""
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


class Readme(unittest.TestCase):
    def test_its_commands_print_what_it_says(self):
        url = f"http://127.0.0.1:{document.free_port()}"
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "build"))
            os.symlink(document.BINARY, os.path.join(folder, "build", "millrace"))
            pairs = [pair for block in document.blocks("README.md", "console") for pair in steps(block)]
            script = ["set -m", "trap 'kill %% 2>/dev/null; wait' EXIT"]
            for number, (command, _) in enumerate(pairs):
                command = command.replace(document.DOCUMENTED_URL, url)
                if command.endswith("&"):  # a server: whoever reads sees its banner, and so knows when to go on
                    ready = f"until curl -fs -o /dev/null {url}/readyz; do sleep 0.05; done"
                    command = f"{command[:-1]} >{folder}/server.log 2>&1 &\n{ready}"
                script.append(f"echo; echo {shlex.quote(f'== {number}')}\n{command}")
            ran = subprocess.run(
                ["bash", "-c", "\n".join(script)], cwd=folder, capture_output=True, text=True, timeout=90,
                env=document.environment({"MILLRACE_SERVER": url, "MILLRACE_LISTEN": url[len("http://"):],
                                          "MILLRACE_BALLAST_BYTES": "0"}))
            said = re.split(r"^== \d+\n", ran.stdout, flags=re.MULTILINE)[1:]
            self.assertEqual(len(said), len(pairs), ran.stdout + ran.stderr)
            for (command, expected), printed in zip(pairs, said):
                with self.subTest(command):
                    self.assertEqual(stable(printed), stable("\n".join(expected)), ran.stderr)

    def test_its_code_stands_in_the_examples(self):
        examples = "".join(document.read(f"examples/{name}") for name in sorted(os.listdir(
            os.path.join(document.ROOT, "examples"))) if name.endswith((".cpp", ".hpp")))
        for block in document.blocks("README.md", "cpp"):
            for part in block.split("\n\n"):
                self.assertIn(part.strip(), examples)

    def test_a_task_is_finished_within_twenty_lines(self):
        lines = document.read("README.md").splitlines()
        self.assertLess(len(lines), LINES_MAX)
        self.assertTrue(any(re.match(r"status +completed", line) for line in lines[:FIRST_TASK_BY_LINE]))

    def test_its_scripts_exist(self):
        for name in re.findall(r"^(scripts/\S+)", document.read("README.md"), re.MULTILINE):
            self.assertTrue(os.access(os.path.join(document.ROOT, name), os.X_OK), name)


if __name__ == "__main__":
    unittest.main(argv=["readme_test", "-v"])
