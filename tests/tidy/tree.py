"""The files of the repository, as the rules see them."""

import os
import re
import subprocess

SKIPPED_FOLDERS = re.compile(r"(^|/)(\.git|build|build-[^/]*|node_modules|dist|millrace-data|\.cache|__pycache__)(/|$)")
SOURCE = re.compile(r"\.(hpp|cpp)$")


class Tree:
    """Path to text, relative to the root; text files only."""

    def __init__(self, files):
        self.files = dict(sorted(files.items()))

    @staticmethod
    def read(root):
        files = {}
        for path in sorted(list_files(root)):
            if SKIPPED_FOLDERS.search(path):
                continue
            try:
                with open(os.path.join(root, path), encoding="utf-8") as file:
                    files[path] = file.read()
            except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
                continue
        return Tree(files)

    def sources(self):
        return {path: text for path, text in self.files.items() if SOURCE.search(path)}


def list_files(root):
    """What git would commit; a tree without git is walked."""
    try:
        out = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True).stdout
        return [name for name in out.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, folders, names in os.walk(root):
            relative = os.path.relpath(folder, root)
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.search(os.path.normpath(f"{relative}/{name}"))]
            found += [os.path.normpath(f"{relative}/{name}") for name in names]
        return found


def without_comments_and_strings(text):
    """The same text with the contents of comments and literals blanked; every line and column stays where it was."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\s\\]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)

    def blank(match):
        found = match.group(0)
        if found.startswith("'") and match.start() > 0 and text[match.start() - 1].isalnum():
            return found  # 1'000'000
        keep = found[0] if found[0] in "\"'" else " "
        return keep + re.sub(r"[^\n]", " ", found[1:-1]) + keep if len(found) > 1 else found

    return pattern.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
