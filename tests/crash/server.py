"""The server under test: started, asked, killed. Speaks HTTP with the standard library only."""

import http.client
import json
import os
import socket
import subprocess
import time

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Connection:
    """One keep-alive connection. Every failure is an OSError or an HTTPException and closes it."""

    def __init__(self, port, patience=20):
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)

    def call(self, method, path, body=None):
        """The status and the decoded answer; `body` is text that is JSON already, or a value."""
        data = body if body is None or isinstance(body, str) else json.dumps(body, separators=(",", ":"))
        try:
            self._http.request(method, path, data, {"Content-Type": "application/json"} if data else {})
            answer = self._http.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._http.close()
            raise ConnectionError(str(error)) from error

    def close(self):
        self._http.close()


class Server:
    """`millrace serve` on one port, and on one directory or another broker, as often as wanted."""

    def __init__(self, binary, folder, *options, broker=None, name="server"):
        self.port = free_port()
        self.data = os.path.join(folder, "data")
        self.log = os.path.join(folder, f"{name}.log")
        self._words = [binary, "serve", "--listen", f"127.0.0.1:{self.port}", "--broker",
                       broker or f"file:{self.data}", *options]
        self._folder = folder
        self.process = None

    def start(self):
        self._started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self._words, cwd=self._folder, env=CLEAN, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=log)

    def children(self):
        """The processes that it started."""
        tasks = f"/proc/{self.process.pid}/task"
        found = []
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
        return found

    def wait_ready(self, patience=60):
        """Seconds from the start of the process until /readyz says 200."""
        while time.monotonic() - self._started < patience:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}; see {self.log}")
            probe = Connection(self.port, 5)
            try:
                if probe.call("GET", "/readyz")[0] == 200:
                    return time.monotonic() - self._started
            except ConnectionError:
                pass
            finally:
                probe.close()
            time.sleep(0.004)
        raise RuntimeError(f"the server was not ready within {patience} s; see {self.log}")

    def kill(self):
        self.process.kill()
        return self.process.wait()

    def terminate(self, patience=60):
        """The exit status after a drain."""
        self.process.terminate()
        return self.process.wait(patience)
