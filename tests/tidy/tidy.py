#!/usr/bin/env python3
"""Checks the tree against the rules that a compiler does not know.

tidy.py --list             the rules
tidy.py --rule RULE ROOT   one of them
tidy.py ROOT               all of them
Prints one line for each place that breaks a rule and exits 1 if there was one.
"""

import sys

import co_await_rule
import includes
import seeded_bugs_rule
import text_rules
from tree import Tree

RULES = {
    rule.__name__: rule
    for rule in (
        includes.includes,
        includes.link_lines,
        includes.beast_in_few_files,
        co_await_rule.braces_in_co_await,
        seeded_bugs_rule.seeded_bugs_fit,
        text_rules.header_begins_with_pragma,
        text_rules.file_names,
        text_rules.folder_names,
        text_rules.file_lengths,
        text_rules.unfinished_work,
        text_rules.workplace_words,
        text_rules.one_word_per_thing,
        text_rules.no_sleeping_tests,
        text_rules.no_silenced_tests,
        text_rules.time_is_an_argument,
    )
}


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(RULES))
        return 0
    chosen = list(RULES)
    if len(arguments) == 3 and arguments[0] == "--rule" and arguments[1] in RULES:
        chosen, arguments = [arguments[1]], arguments[2:]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    tree = Tree.read(arguments[0])
    if not tree.sources():
        print(f"no source below {arguments[0]}", file=sys.stderr)
        return 2
    problems = [f"{problem} [{name}]" for name in chosen for problem in RULES[name](tree)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
