"""Rules about names, sizes and words."""

import os
import re

from tree import line_of, without_comments_and_strings

LINES_MAX = 400
RATCHET_SLACK = 20
RATCHET = "tests/tidy/long_files.txt"
REFUSED_FOLDERS = {"util", "utils", "common", "helper", "helpers", "misc"}
GLOSSARY = "docs/glossary.md"
GLOSSARY_WORDS = ("task", "task type", "queue", "priority", "attempt", "lease", "token", "settle", "extend", "retry",
                  "dead letter", "requeue", "broker", "line", "ledger", "worker", "slot", "handler", "gateway", "engine")


def words(*halves):
    """Joins halves, so that this file does not hold the words it looks for."""
    return ["".join(pair) for pair in halves]


UNFINISHED = re.compile(r"\b(" + "|".join(words(("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK"))) + r")\b|" +
                        "not " + "implemented")
WORKPLACE = re.compile(
    r"(?<![\w/.])/wo" + r"rk/\w|/tmp/ba" + r"sh_|\b(?:this|previous|last|next|earlier|other|another|parallel) ses" +
    r"sions?\b|\b(?:cla" + r"ude|anthr" + r"opic|chat" + r"gpt|copi" + r"lot)\b|\blanguage mo" + r"del\b",
    re.IGNORECASE)


def header_begins_with_pragma(tree):
    """A header begins with #pragma once."""
    for path, text in tree.sources().items():
        if path.endswith(".hpp") and not text.startswith("#pragma once\n"):
            yield f"{path}:1: a header begins with #pragma once"


def file_names(tree):
    """Sources are snake_case .hpp and .cpp."""
    for path in tree.files:
        name = os.path.basename(path)
        stem, suffix = os.path.splitext(name)
        if suffix in (".h", ".hh", ".hxx", ".cc", ".cxx", ".c", ".ipp"):
            yield f"{path}: sources end in .hpp and .cpp"
        if suffix in (".hpp", ".cpp", ".py") and not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", stem):
            yield f"{path}: file names are snake_case"


def folder_names(tree):
    """No folder is named after nothing."""
    seen = set()
    for path in tree.files:
        for depth, name in enumerate(path.split("/")[:-1]):
            folder = "/".join(path.split("/")[: depth + 1])
            if name in REFUSED_FOLDERS and folder not in seen:
                seen.add(folder)
                yield f"{folder}/: name the folder after what its files do"


def file_lengths(tree):
    """A file past 400 lines holds two roles; those in the ratchet may only shrink."""
    allowed = {}
    for line in tree.files.get(RATCHET, "").splitlines():
        if line and not line.startswith("#"):
            count, path = line.split(maxsplit=1)
            allowed[path] = int(count)
    for path, text in tree.files.items():
        if not path.endswith((".hpp", ".cpp", ".py", ".ts", ".tsx", ".svelte", ".cmake", "CMakeLists.txt", ".sh")):
            continue
        count = text.count("\n")
        limit = allowed.pop(path, LINES_MAX)
        if count > limit:
            yield f"{path}: {count} lines, {limit} are allowed; give the second role a file of its own"
        elif limit > LINES_MAX and count <= LINES_MAX:
            yield f"{RATCHET}: {path} is now {count} lines; take it out"
        elif limit > LINES_MAX and limit - count > RATCHET_SLACK:
            yield f"{RATCHET}: {path} is now {count} lines; write {count}"
    for path in allowed:
        yield f"{RATCHET}: {path} is gone; take it out"


def unfinished_work(tree):
    """Nothing unfinished is committed."""
    for path, text in tree.files.items():
        if path.endswith("package-lock.json"):
            continue
        for match in UNFINISHED.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: unfinished: {match.group(0)}"


def workplace_words(tree):
    """The repository does not say where or how it was typed."""
    for path, text in tree.files.items():
        for match in WORKPLACE.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: names a workplace: {match.group(0)}"


def one_word_per_thing(tree):
    """A task is called a task; the glossary has every word."""
    # Not in engine and server, whose background work comes in jobs and whose dialects know the word, and not in tests, which may invent any task type.
    places = tuple(f"src/{name}/" for name in ("base", "domain", "broker", "codec", "storage", "sdk", "testing",
                                               "connect")) + ("include/",)
    for path, text in tree.sources().items():
        if not path.startswith(places) or path.endswith("_test.cpp"):
            continue
        for match in re.finditer(r"\b(jobs?|Jobs?|job_id|JobId)\b", without_comments_and_strings(text)):
            yield f"{path}:{line_of(text, match.start())}: a task is called a task, not {match.group(0)}"
    glossary = tree.files.get(GLOSSARY)
    if glossary is None:
        yield f"{GLOSSARY}: missing"
        return
    for word in GLOSSARY_WORDS:
        if not re.search(r"\*\*" + word + r"\*\*", glossary, re.IGNORECASE):
            yield f"{GLOSSARY}: **{word}** is missing"


# Tests in which a time is the thing itself.
MAY_SLEEP = {"src/storage/rocks_store_test.cpp": "a process kills itself at a random moment"}


def no_sleeping_tests(tree):
    """A test waits for a thing, not for a time; asking again each millisecond until the thing is there is waiting for it."""
    for path, text in tree.sources().items():
        if path.endswith("_test.cpp") and path not in MAY_SLEEP:
            code = without_comments_and_strings(text)
            for match in re.finditer(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(", code):
                before = code[: match.start()]
                if match.group(1) == "sleep_until" and not re.search(r"this_thread::$", before):
                    continue  # the clock under test
                if re.search(r"\bwhile \([^;{}]*\)\s*\{?\s*(std::)?(this_thread::)?$", before):
                    continue
                yield f"{path}:{line_of(text, match.start())}: a test does not sleep"


def no_silenced_tests(tree):
    """A test is fixed or deleted, not silenced."""
    pattern = re.compile(r"^[ \t]*//[ \t]*TEST(_F|_P)?\(|\bDISABLED" + r"_\w", re.MULTILINE)
    for path, text in tree.sources().items():
        for match in pattern.finditer(text):
            yield f"{path}:{line_of(text, match.start())}: fix the test or delete it"


# Around the engine's deterministic core: the thread that times its writes.
MAY_READ_CLOCKS = {"src/engine/instance.cpp"}


def time_is_an_argument(tree):
    """Rules and storage read no clock."""
    for path, text in tree.sources().items():
        if path in MAY_READ_CLOCKS:
            continue
        if re.match(r"src/(domain|engine|storage|codec|broker)/", path) and not path.endswith("_test.cpp"):
            code = without_comments_and_strings(text)
            for match in re.finditer(r"_clock::now\s*\(|\bstd::random_device\b|\bgettimeofday\b", code):
                yield f"{path}:{line_of(text, match.start())}: time and chance are arguments: {match.group(0)}"
