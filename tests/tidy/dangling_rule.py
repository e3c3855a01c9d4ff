"""A range-based for keeps the object of its range alive, not the temporary that a call in the middle returned (until C++23)."""

import re

from tree import line_of, without_comments_and_strings


def range_for_over_a_temporary(tree):
    """No range-based for over the value inside a Result that nobody holds."""
    for path, text in tree.sources().items():
        code = without_comments_and_strings(text)
        for match in re.finditer(r"\bfor\s*\(", code):
            loop = parenthesised(code, match.end() - 1)
            head = re.split(r"(?<!:):(?!:)", loop, maxsplit=1)
            if ";" in loop.split("{")[0] or len(head) != 2:
                continue
            if dangles(head[1].strip()):
                yield f"{path}:{line_of(code, match.start())}: the loop outlives the Result it looks into; name it first"


def dangles(expression):
    found = re.search(r"([\w:>]*)(\([^()]*(?:\([^()]*\)[^()]*)*\))\s*\.\s*value\s*\(\s*\)", expression)
    if found:
        return not re.search(r"\b(move|forward)(<[^>]*>)?$", found.group(1))
    return re.match(r"\*\s*[\w:.>-]+\(", expression) is not None and "std::move(" not in expression


def parenthesised(code, opening):
    """What stands between the parenthesis at `opening` and the one that closes it."""
    depth = 0
    for offset in range(opening, len(code)):
        depth += {"(": 1, ")": -1}.get(code[offset], 0)
        if depth == 0:
            return code[opening + 1: offset]
    return ""
