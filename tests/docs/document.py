"""Pages of the documentation, their fenced blocks, and a server to try them against."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

BINARY = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(sys.argv[2])
DOCUMENTED_URL = "http://127.0.0.1:8000"
PATIENCE = 30  # seconds; only ever reached by a failure


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blocks(page, language):
    """The texts of the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n((?:(?!```).*\n)*)```$", read(page), re.MULTILINE)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(extra):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MILLRACE_", "REDIS_", "RABBITMQ_", "CELERY_"))}
    return {**kept, **extra}


class Server:
    """`millrace serve` with a data directory of its own, for the life of a `with`."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        place = self.folder.name
        url_file = os.path.join(place, "url")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--broker", f"file:{place}/data", "--ballast-bytes", "0",
             "--url-file", url_file, *self.options],
            cwd=place, env=environment({}), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not os.path.exists(url_file) or not self._ready(url_file):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"serve did not serve ({self.process.poll()})")
            time.sleep(0.02)
        return self

    def _ready(self, url_file):
        with open(url_file, encoding="utf-8") as file:
            self.url = file.read().strip()
        try:
            return urllib.request.urlopen(self.url + "/readyz", timeout=5).status == 200
        except OSError:
            return False

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()
