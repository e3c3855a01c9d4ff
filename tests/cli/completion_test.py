"""Help and completion say what the command line has."""

import re
import shutil
import subprocess
import unittest

from program import Case, main, run


def subcommands(*path):
    text = run(*path, "--help").out
    section = text.partition("Subcommands:")[2]
    return re.findall(r"^  ([a-z][a-z-]*) ", section, re.MULTILINE)


def completed(line):
    """What bash offers at the end of `line`."""
    words = line.split(" ")
    script = run("completion", "bash").out
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"{script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _millrace; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


class Completion(Case):
    def test_bash_offers_every_subcommand(self):
        self.assertEqual(sorted(completed("millrace ")), sorted(["--help", "--version", *subcommands()]))

    def test_bash_offers_what_a_group_has(self):
        self.assertEqual(sorted(word for word in completed("millrace queue ") if not word.startswith("-")),
                         ["list", "pause", "purge", "resume"])

    def test_bash_offers_every_option_of_serve(self):
        options = set(re.findall(r"(--[a-z][a-z-]+)", run("serve", "--help").out.partition("Subcommands")[0]))
        self.assertLessEqual({"--listen", "--broker", "--workers", "--no-insecure-bind"} & options,
                             set(completed("millrace serve --")))
        self.assertIn("--drain-grace", completed("millrace serve --dr"))

    def test_bash_offers_the_words_of_a_choice(self):
        self.assertEqual(completed("millrace serve --durability "), ["disk", "process", "memory"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_reads_its_script(self):
        script = run("completion", "zsh").out
        self.assertEqual(subprocess.run(["zsh", "-n"], input=script.encode(), check=False).returncode, 0)

    def test_the_zsh_script_names_every_subcommand(self):
        script = run("completion", "zsh").out
        for name in subcommands():
            self.assertIn(f"'{name}:", script)


class Help(Case):
    def test_every_command_explains_itself(self):
        def check(path):
            done = run(*path, "--help")
            self.assertEqual(done.status, 0, path)
            self.assertTrue(done.out.strip(), path)
            for name in subcommands(*path):
                check([*path, name])
        check([])

    def test_the_exit_statuses_are_listed(self):
        self.assertIn("124 the time to wait was over", re.sub(r"\s+", " ", run("--help").out))


if __name__ == "__main__":
    main()
