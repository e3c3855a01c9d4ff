"""Who may include whom. The table is the architecture; a new arrow is a decision, made here and in docs/architecture.md."""

import re

from tree import line_of

# Folder: what of ours it may include besides itself, include/millrace and base.
ARROWS = {
    "base": set(),
    "domain": set(),
    "storage": set(),
    "net": set(),
    "broker": {"domain"},
    "codec": {"domain", "broker"},  # the values of the contract, to bytes and to JSON
    "engine": {"domain", "broker", "codec", "storage", "observe"},
    "backends": {"domain", "broker", "codec", "net", "observe"},
    "server": {"domain", "broker", "codec", "net", "connect", "observe", "access"},
    "sdk": {"domain", "broker", "codec", "net", "connect", "observe"},
    "testing": {"engine", "storage", "sdk", "broker", "connect"},
    "observe": {"domain"},
    "access": {"domain"},
    "tasks": set(),
    "supervise": {"broker"},  # the child process in which attempts run
    "connect": {"broker"},
    "components": {"broker", "connect", "engine", "storage", "backends", "sdk", "observe"},  # registers what is linked
    "settings": set(),  # flags, environment and files to values, for apps
}
# Linked without an include of ours: the public headers' bodies are there.
LINK_ONLY = {"tasks": {"sdk"}}
EVERYTHING = {"apps", "tests", "bench"}

# Vendor header prefix: the only folders whose files may name it.
VENDORS = {
    "rocksdb/": {"storage"},
    "hiredis": {"backends/redis"},
    "rabbitmq-c/": {"backends/rabbitmq"},
    "amqp": {"backends/rabbitmq"},
    "boost/beast": {"net", "server", "sdk", "backends/remote", "base"},
    "boost/asio": {"base", "broker", "engine", "net", "server", "sdk", "testing", "observe", "connect", "backends/redis",
                   "backends/rabbitmq", "backends/remote"},
    "boost/json": {"base", "codec", "server", "sdk", "backends/redis", "backends/rabbitmq", "backends/remote", "access",
                   "observe"},
    "boost/url": {"base", "net", "server", "sdk", "connect", "backends/redis", "backends/rabbitmq", "backends/remote"},
    "CLI/": {"settings"},
    "toml": {"settings"},
    "prometheus/": {"observe"},
    "spdlog/": {"observe"},
    "curl/": {"tasks", "sdk", "backends/remote"},
    "openssl/": {"base", "codec", "engine", "net", "access", "tasks", "server", "backends/redis"},
    "boost/": {"base", "storage", "engine", "net", "server", "sdk", "observe", "access", "connect", "backends/redis",
               "backends/rabbitmq", "backends/remote"},
}
SOCKETS = ("sys/socket.h", "sys/un.h", "netinet/", "arpa/", "netdb.h", "poll.h", "sys/epoll.h", "boost/asio/ip/",
           "boost/asio/local/")
CHANCE_AND_TIME = ("random", "thread", "mutex", "condition_variable", "future", "base/clock.hpp", "fstream", "filesystem")
# The only file of a folder that may name a vendor although its folder may not.
SINGLE_ARROWS = {("broker", "boost/asio/awaitable.hpp")}
# Public headers that adapt one vendor, for those who use it already.
ADAPTERS = {"include/millrace/asio.hpp": "boost/asio", "include/millrace/nlohmann.hpp": "nlohmann/",
            "include/millrace/describe.hpp": "boost/describe"}
BEAST_FILES_MAX = 4

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def is_test(path):
    return re.search(r"_(test|fuzz)\.cpp$", path) is not None


def place_of(path):
    """("src", "engine", "engine") for src/engine/x.cpp; the third says backends/redis where the second says backends."""
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        full = "/".join(parts[1:3]) if parts[1] == "backends" and len(parts) > 3 else parts[1]
        return "src", parts[1], full
    if path.startswith("include/millrace/"):
        return "public", "", ""
    return parts[0], parts[0], parts[0]


def includes(tree):
    """Every #include stays inside the table of who may include whom."""
    for path, text in tree.sources().items():
        for match in INCLUDE.finditer(text):
            problem = problem_of(path, match.group(1) == '"', match.group(2))
            if problem:
                yield f"{path}:{line_of(text, match.start())}: {problem}"


def problem_of(path, quoted, header):
    kind, folder, full = place_of(path)
    if kind in EVERYTHING or kind == "cmake":
        return None
    if kind == "public":
        return public_problem(path, quoted, header)
    if kind == "examples":
        return f'an example uses only <millrace/…>, not "{header}"' if quoted and "/" in header else None
    if quoted:
        return own_problem(path, folder, full, header)
    if is_test(path) and not header.startswith("rocksdb/"):
        return None
    return vendor_problem(folder, full, header)


def public_problem(path, quoted, header):
    if header.startswith("millrace/") or (not quoted and re.fullmatch(r"[a-z_]+(\.h)?", header)):
        return None
    if path in ADAPTERS and header.startswith(ADAPTERS[path]):
        return None
    return f"a public header names only the standard library, not {header}"


def own_problem(path, folder, full, header):
    if header.startswith("millrace/"):
        return f"public headers are written <{header}>"
    other = header.split("/")[0]
    if folder not in ARROWS:
        return f"src/{folder} has no row in tests/tidy/includes.py"
    if other == "tests" and is_test(path):
        return None
    if "/" not in header:
        return f'write the path from src: "{full}/{header}"'
    if folder == "backends" and other == "backends":
        return None if header.startswith(full + "/") else f"one back end never includes another: {header}"
    if folder == "domain" and header in CHANCE_AND_TIME:
        return f"domain takes time and chance as arguments, not {header}"
    allowed = ARROWS[folder] | {folder, "base"} | ({"testing"} if is_test(path) else set())
    return None if other in allowed else f"{folder} may not include {other}/ ({header})"


def vendor_problem(folder, full, header):
    if folder == "domain" and header in CHANCE_AND_TIME:
        return f"domain takes time and chance as arguments, not <{header}>"
    if folder in ("domain", "storage", "engine", "broker", "codec") and header.startswith(SOCKETS):
        return f"{folder} knows no sockets (<{header}>)"
    if (folder, header) in SINGLE_ARROWS:
        return None
    for prefix, folders in VENDORS.items():
        if header.startswith(prefix):
            return None if full in folders and not (folder == "broker") else f"{full} may not name <{header}>"
    return None


def link_lines(tree):
    """The DEPENDS of each millrace_library are arrows of the same table."""
    for path, text in tree.files.items():
        if not (path.startswith("src/") and path.endswith("/CMakeLists.txt")):
            continue
        folder = path.split("/")[1]
        text = re.sub(r"#[^\n]*", "", text)
        for call in re.findall(r"millrace_library\(([^)]*)\)", text):
            words = call.split()
            wanted, collecting = [], False
            for word in words[1:]:
                if word.isupper() and len(word) > 3:
                    collecting = word == "DEPENDS"
                elif collecting:
                    wanted.append(word)
            for name in wanted:
                folder_named = "backends" if name.startswith("backend_") else name
                if folder_named not in ARROWS.get(folder, set()) | LINK_ONLY.get(folder, set()) | {"base", "asio"}:
                    yield f"{path}: {folder} may not depend on {name}"


def beast_in_few_files(tree):
    """Beast takes half a minute a file, so few files name it."""
    files = [path for path, text in tree.sources().items()
             if path.startswith(("src/", "apps/")) and re.search(r"#\s*include\s*<boost/beast", text)]
    if len(files) > BEAST_FILES_MAX:
        yield f"{len(files)} files include Beast, {BEAST_FILES_MAX} may: {', '.join(files)}"
