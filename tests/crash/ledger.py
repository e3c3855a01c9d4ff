"""The outside ledger: what clients saw, one event a line, in a file that the product knows nothing of.

Events are JSON arrays [kind, wall time, …]; ids and fences are the client's own copies:
  kill  cycle        start  cycle        ready  cycle, seconds since the start
  ask   call, [[task, due], …]              a submission leaves; due = earliest start that was asked for
  ack   call, [task, …]                     accepted, or found accepted
  lost_answer  call                         nobody knows; the same call is repeated
  refused  call, code, [task, …]            definitely not recorded
  grant  worker, asked, [[task, fence, attempt], …]     asked = when the call left for the first time
  tell  worker, [[task, fence, outcome, not_before], …]     the end of attempts leaves; 0 = any time
  told  worker, [[task, fence, result, [child, …]], …]
  seen  [[task, status], …]                 read back; status missing = not there
"""

import json
import os
import threading
import time


class Ledger:
    """Appends events; any thread."""

    def __init__(self, path):
        self.path = path
        self._file = open(path, "a", encoding="utf-8")
        self._mutex = threading.Lock()

    def write(self, kind, *rest):
        line = json.dumps([kind, time.time(), *rest], separators=(",", ":"))
        with self._mutex:
            self._file.write(line + "\n")

    def flush(self):
        """All that was written can be read by the judge. It is the server that is killed, not the machine, so the
        system keeps it; the disk has it when the ledger is closed."""
        with self._mutex:
            self._file.flush()

    def close(self):
        self.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_events(path, offset=0):
    """The whole lines from `offset` on, and where they end."""
    with open(path, "rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            yield offset, json.loads(line)
