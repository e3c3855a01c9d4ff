#!/usr/bin/env python3
"""Says which of the hardening that SECURITY.md promises a binary lacks; exits 1 if any.

check_binary.py PROGRAM               the program has everything
check_binary.py --lacks WORD PROGRAM  the check finds that WORD is missing: so it can fail
"""

import re
import subprocess
import sys


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, program], check=True, capture_output=True, text=True).stdout


def missing(program):
    header = readelf("-h", program)
    segments = readelf("-l", program)
    dynamic = readelf("-d", program)
    symbols = readelf("--dyn-syms", program)
    stack = re.search(r"GNU_STACK.*", segments)
    checks = {
        "pie": re.search(r"Type:\s+DYN", header),
        "relro": "GNU_RELRO" in segments,
        "bind_now": re.search(r"\bBIND_NOW\b|Flags:.*\bNOW\b", dynamic),
        "no_executable_stack": stack and "E" not in stack.group(0).split()[6],
        "stack_protector": "__stack_chk_fail" in symbols,
        "fortify": re.search(r"\b__\w+_chk\b", symbols.replace("__stack_chk", "")),
        "library_assertions": "__glibcxx_assert_fail" in symbols,
    }
    return [name for name, found in checks.items() if not found]


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "--lacks":
        found = missing(arguments[2])
        print("missing:", ", ".join(found) or "nothing")
        return 0 if arguments[1] in found else 1
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    found = missing(arguments[0])
    print("missing:", ", ".join(found) or "nothing")
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
