"""docs/protocol.md against the server: its worker works, its example answer has the members of a real one."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import document

PAGE = "docs/protocol.md"


def call(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=document.PATIENCE))


class Protocol(unittest.TestCase):
    def setUp(self):
        self.server = document.Server("--workers", "0").__enter__()
        self.addCleanup(self.server.__exit__)

    def test_the_worker_of_the_page_does_what_the_page_says(self):
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "worker.py")
            with open(program, "w", encoding="utf-8") as file:
                file.write(document.blocks(PAGE, "python")[0])
            worker = subprocess.Popen([sys.executable, "-B", program, self.server.url], stderr=subprocess.DEVNULL)
            self.addCleanup(worker.wait)
            self.addCleanup(worker.kill)
            lines = document.blocks(PAGE, "console")[0].splitlines()[1:]
            os.mkdir(os.path.join(folder, "build"))
            os.symlink(document.BINARY, os.path.join(folder, "build", "millrace"))
            for command, expected in zip(lines[::2], lines[1::2]):
                ran = subprocess.run(["bash", "-c", command[2:]], cwd=folder, capture_output=True, text=True,
                                     timeout=document.PATIENCE,
                                     env=document.environment({"MILLRACE_SERVER": self.server.url}))
                self.assertEqual(ran.stdout.strip(), expected, ran.stderr)

    def test_the_answer_of_the_page_has_the_members_of_a_real_one(self):
        submission = {"task_id": "wc-1", "task_type": "word_count", "payload": {"text": "one two"}, "timeout": 60,
                      "priority": "high"}
        call(self.server.url + "/api/v1/tasks", submission)
        wish = {"worker": {"instance": "w-1"}, "request_id": "r-2", "types": ["word_count"], "want": 1}
        real = call(self.server.url + "/api/v1/work", wish)
        shown = json.loads(document.blocks(PAGE, "json")[0])
        self.assertEqual(list(real), list(shown))
        self.assertEqual(list(real["leases"][0]), list(shown["leases"][0]))
        self.assertEqual(real["leases"][0]["payload"], shown["leases"][0]["payload"])
        again = call(self.server.url + "/api/v1/work", wish)
        self.assertEqual(again["leases"][0]["token"], real["leases"][0]["token"], "a repeated call gives the same leases")

    def test_the_page_names_every_member_of_a_call(self):
        schema = json.loads(document.read("src/server/openapi.json"))["components"]["schemas"]["WorkCall"]["properties"]
        page = document.read(PAGE)
        settle = schema["settle"]["items"]["properties"]
        for name in [*schema, *settle, *settle["outcome"]["enum"], *(f".{part}" for part in schema["worker"]["properties"])]:
            with self.subTest(name):
                self.assertRegex(page, rf"`?{re.escape(name)}\b")


if __name__ == "__main__":
    unittest.main(argv=["protocol_test", "-v"])
