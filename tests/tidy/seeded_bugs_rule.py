"""The planted bugs fit the code they are planted into."""

import tomllib

LIST = "tests/support/seeded_bugs.toml"


def seeded_bugs_fit(tree):
    """The text that a planted bug replaces occurs exactly once in its file."""
    if LIST not in tree.files:
        return
    for bug in tomllib.loads(tree.files[LIST])["bug"]:
        count = tree.files.get(bug["file"], "").count(bug["find"])
        if count != 1:
            yield f"{LIST}: '{bug['name']}': its text occurs {count} times in {bug['file']}; change the bug with the code"
