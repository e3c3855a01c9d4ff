"""docs/guarantees.md against the code: the tests it names exist, and the server reports the settings it lists."""

import glob
import json
import os
import re
import subprocess
import unittest
import urllib.request

import document

PAGE = document.read("docs/guarantees.md")


def section(heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


class Guarantees(unittest.TestCase):
    def test_every_invariant_has_its_row_and_the_tests_named_there_exist(self):
        tests = ""
        for path in glob.glob(os.path.join(document.ROOT, "**", "*_test.cpp"), recursive=True):
            with open(path, encoding="utf-8") as file:
                tests += file.read()
        rows = re.findall(r"^\| (I\d+) \|.*$", section("Invariants"), re.MULTILINE)
        self.assertEqual(rows, [f"I{number}" for number in range(1, 15)])
        named = re.findall(r"`([A-Z][a-z]*[A-Z]\w+)`", section("Invariants"))
        self.assertGreater(len(named), 20)
        for name in named:
            with self.subTest(name):
                self.assertRegex(tests, rf"\b{name}\)")

    def test_the_server_reports_the_settings_that_are_listed(self):
        listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section("What `GET.*?` names"), re.MULTILINE)))
        with document.Server("--workers", "0") as server:
            report = json.load(urllib.request.urlopen(f"{server.url}/api/v1/guarantees", timeout=document.PATIENCE))
        self.assertEqual(sorted(listed), sorted(setting["name"] for setting in report["settings"]))
        self.assertEqual(report["durability"], "disk")
        self.assertEqual(report["degradations"], [])

    def test_brokers_that_are_not_in_this_release_are_refused(self):
        for url in ("redis://127.0.0.1:6379/0", "amqp://127.0.0.1"):
            ran = subprocess.run([document.BINARY, "serve", "--listen", "127.0.0.1:0", "--broker", url],
                                 capture_output=True, text=True, timeout=document.PATIENCE, env=document.environment({}))
            self.assertNotEqual(ran.returncode, 0, url)


if __name__ == "__main__":
    unittest.main(argv=["guarantees_test", "-v"])
