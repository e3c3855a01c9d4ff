"""The millrace binary under test: servers with a data directory of their own, and commands against them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "build/millrace"
PATIENCE = 30  # seconds; only ever reached by a failure


def clean_environment(extra=None):
    """The environment without what could configure the program."""
    ours = ("MILLRACE_", "REDIS_", "RABBITMQ_", "CELERY_", "FLASK_")
    names = ("LOG_LEVEL", "MAX_RETRIES", "RETRY_BASE_DELAY", "INITIAL_RETRY_DELAY", "MAX_RETRY_DELAY")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in names}
    return {**kept, **(extra or {})}


class Server:
    """One `millrace serve` on a free port of loopback."""

    def __init__(self, folder, *options, env=None, data="data", listen=("127.0.0.1:0",)):
        self.errors_path = os.path.join(folder, f"serve-{time.monotonic_ns()}.log")
        listens = [word for address in listen for word in ("--listen", address)]
        standard = {"--broker": f"file:{folder}/{data}", "--ballast-bytes": "0", "--workers": "2"}
        words = [word for name, value in standard.items() if name not in options for word in (name, value)]
        with open(self.errors_path, "wb") as errors:
            self.process = subprocess.Popen(
                [BINARY, "serve", *words, *listens, *options],
                cwd=folder, env=clean_environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        self.banner, self.url = self._read_banner()

    def _read_banner(self):
        text = ""
        for raw in self.process.stdout:
            text += raw.decode()
            word, _, value = raw.decode().strip().partition(" ")
            if word == "listen" and value.strip().startswith("http"):
                return text, value.strip()
        self.process.wait(PATIENCE)
        raise AssertionError(f"serve did not serve ({self.process.returncode}): {self.errors()}")

    def errors(self):
        with open(self.errors_path, encoding="utf-8") as file:
            return file.read()

    def events(self):
        return [json.loads(line) for line in self.errors().splitlines() if line.startswith("{")]

    def call(self, method, path, body=None, token=None, headers=None):
        """The status and the decoded answer."""
        data = None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode())
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, decoded(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, decoded(refusal.read())

    def wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE
        while self.call("GET", "/readyz")[0] != 200:
            assert time.monotonic() < deadline, self.errors()
            time.sleep(0.02)
        return self

    def stop(self, number=signal.SIGTERM, patience=PATIENCE):
        """Sends the signal and returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(patience)
        finally:
            self.process.stdout.close()


def decoded(body):
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class Run:
    """A finished command."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode()
        self.errors = done.stderr.decode()

    @property
    def json(self):
        return json.loads(self.out)


def run(*words, env=None, given=None, cwd=None):
    return Run(subprocess.run([BINARY, *words], env=clean_environment(env), input=given, capture_output=True,
                              timeout=PATIENCE * 2, cwd=cwd, check=False,
                              **({} if given is not None else {"stdin": subprocess.DEVNULL})))


class Case(unittest.TestCase):
    """A test with a folder and servers that end with it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def serve(self, *options, **more):
        server = Server(self.folder, *options, **more)
        self.addCleanup(lambda: server.stop(signal.SIGKILL))
        return server

    def command(self, *words, **more):
        return run(*words, cwd=self.folder, **more)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
