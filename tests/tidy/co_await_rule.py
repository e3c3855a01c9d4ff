"""GCC 12 frees aggregate temporaries twice inside a full expression that holds co_await: no braces there."""

import re

from tree import line_of, without_comments_and_strings

OPENING = {")": "(", "]": "[", "}": "{"}
CONTROL = re.compile(r"\b(if|while|for|switch|catch|constexpr)\s*$")


def braces_in_co_await(tree):
    """No braces inside an expression that holds co_await."""
    for path, text in tree.sources().items():
        if "co_await" not in text:
            continue
        code = without_comments_and_strings(text)
        for match in re.finditer(r"\bco_await\b", code):
            if re.search(r"operator\s*$", code[:match.start()]):
                continue
            if brace_after(code, match.end()) or brace_before(code, match.start()):
                yield f"{path}:{line_of(code, match.start())}: braces in a co_await expression; use a named local first"


def brace_after(code, offset):
    """True when a brace opens before the full expression ends, or the expression sits inside an initialiser list."""
    depth = 0
    while offset < len(code):
        char = code[offset]
        if char == "{":
            return True
        if char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
            if depth < 0:
                if char == ")" and CONTROL.search(code[:opening_of(code, offset)]):
                    return False
                depth = 0
        elif char == "}":
            return True
        elif char == ";" and depth == 0:
            return False
        offset += 1
    return False


def brace_before(code, offset):
    """True when a brace belongs to the same full expression, left of co_await."""
    seen_brace = False
    offset -= 1
    while offset >= 0:
        char = code[offset]
        if char in ")]":
            offset = opening_of(code, offset)
        elif char == "}":
            rest = code[offset + 1:].lstrip()
            if re.match(r"[-+/%.,?=<>|^)\]]", rest):
                seen_brace = True
                offset = opening_of(code, offset)
            else:
                return False
        elif char == "(":
            if seen_brace:
                return True
            if CONTROL.search(code[:offset]):
                return False
        elif char in ";{":
            return seen_brace
        offset -= 1
    return seen_brace


def opening_of(code, offset):
    """Where the bracket that closes at `offset` opens; 0 when it does not."""
    depth = 0
    while offset >= 0:
        char = code[offset]
        if char in ")]}":
            depth += 1
        elif char in "([{":
            depth -= 1
            if depth == 0:
                return offset
        offset -= 1
    return 0
