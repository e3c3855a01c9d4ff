"""Links between the documents lead somewhere, and so do the tests and sources that they name."""

import glob
import os
import re
import unittest

import document

PAGES = ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"]


def pages():
    found = glob.glob(os.path.join(document.ROOT, "docs", "**", "*.md"), recursive=True)
    return PAGES + sorted(os.path.relpath(path, document.ROOT) for path in found)


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


class Links(unittest.TestCase):
    def test_every_link_leads_to_a_file_and_a_heading(self):
        for page in pages():
            for target in re.findall(r"\]\(([^)\s]+)\)", document.read(page)):
                if re.match(r"https?:", target):
                    continue
                path, _, fragment = target.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                with self.subTest(f"{page}: {target}"):
                    self.assertTrue(os.path.exists(os.path.join(document.ROOT, path)))
                    if fragment:
                        headings = re.findall(r"^#+ (.*)$", document.read(path), re.MULTILINE)
                        self.assertIn(fragment, [anchor(heading) for heading in headings])

    def test_every_file_that_is_named_exists(self):
        for page in pages():
            for path in re.findall(r"`((?:src|tests|examples|apps|include|scripts|docs)/[\w./-]+)`", document.read(page)):
                with self.subTest(f"{page}: {path}"):
                    self.assertTrue(os.path.exists(os.path.join(document.ROOT, path)))


if __name__ == "__main__":
    unittest.main(argv=["links_test", "-v"])
