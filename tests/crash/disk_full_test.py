#!/usr/bin/env python3
"""A full disk refuses new tasks before it hurts, loses nothing, and serves again by itself once there is space.

Needs a small file system of its own, and so the right to mount; without it the test says so and is skipped."""

import base64
import os
import subprocess
import sys
import time
import unittest

from promise import PromiseTest

ROUNDS = int(os.environ.get("CRASH_DISK_ROUNDS", "2"))
DISK_BYTES = 1 << 30
PAYLOAD_BYTES = 24 << 10  # of noise, which does not compress
BATCH = 16
PACE = 0.02  # seconds between batches: 25 MB/s, for a watermark that is looked at once a second
SOFT, HARD = "256MiB", "96MiB"  # leaves room for a merge of stored files and a log segment
BACK_WITHIN = 30  # seconds after space is free
SKIPPED = 77


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def noise():
    return base64.b64encode(os.urandom(PAYLOAD_BYTES)).decode()


def cannot_mount(folder):
    """Mounts a small ext4 at `folder`; why not, if it cannot."""
    image = folder + ".img"
    with open(image, "wb") as file:
        file.truncate(DISK_BYTES)
    os.makedirs(folder)
    for words in (["mkfs.ext4", "-q", "-F", "-m", "0", image], ["mount", "-o", "loop", image, folder]):
        try:
            done = run(*words)
        except FileNotFoundError:
            return f"there is no {words[0]}"
        if done.returncode != 0:
            return done.stderr.strip()
    return None


class DiskFullTest(PromiseTest):
    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.folder, "disk")
        reason = cannot_mount(self.disk)
        if reason:
            print(f"SKIPPED: a file system of its own cannot be mounted here: {reason}", flush=True)
            sys.exit(SKIPPED)
        self.addCleanup(run, "umount", "-l", self.disk)
        self.filler = os.path.join(self.disk, "filler")
        self.server = self.serve("--workers", "0", "--ballast-bytes", "4MiB", "--disk-soft-bytes", SOFT,
                                 "--disk-hard-bytes", HARD, "--log-level", "warning", folder=self.disk)
        self.api = self.connect(self.server)
        self.accepted, self.finished = [], []
        self.calls = 0

    def free(self):
        status = os.statvfs(self.disk)
        return status.f_bavail * status.f_frsize

    def fill_to(self, left):
        """Somebody else's file takes all but `left` bytes."""
        with open(self.filler, "ab") as file:
            try:
                while self.free() > left:
                    file.write(bytes(min(1 << 20, self.free() - left)))
                    file.flush()
            except OSError:
                pass

    def submit(self):
        """The code that refused one batch; None if it was accepted, and its tasks are written down."""
        self.calls += 1
        names = [f"t{self.calls}-{n}" for n in range(BATCH)]
        status, answer = self.api.call("POST", "/api/v1/tasks/batch", [
            {"task_id": name, "task_type": "t", "payload": noise()} for name in names])
        if status != 202:
            self.assertIn(status, (503, 507), answer)
            return answer["code"]
        self.assertEqual(BATCH, answer["accepted"], answer)
        self.accepted += names
        return None

    def test_filled_freed_and_filled_again(self):
        pid = self.server.process.pid
        for number in range(1, ROUNDS + 1):
            self.fill_to(320 << 20)
            before = len(self.accepted)
            deadline = time.monotonic() + 60
            while (refusal := self.submit()) in (None, "overloaded"):
                self.assertLess(time.monotonic(), deadline, "never refused")
                time.sleep(PACE)
            self.assertEqual("disk_low", refusal, self.log())
            left = self.free()
            self.assertGreater(left, 2 << 20, "refused only when the disk was full")
            self.fill_to(0)
            self.assertIn(self.submit(), ("disk_low", "unavailable"))
            self.assertEqual(200, self.api.call("GET", "/livez")[0])
            os.remove(self.filler)
            self.assertGreater(self.free(), 280 << 20, "the tasks themselves fill the disk; run fewer rounds")
            _, seconds = self.eventually(BACK_WITHIN, "tasks are accepted again", lambda: self.submit() is None)
            print(f"round {number}: {len(self.accepted) - before} accepted, refused with {left >> 20} MiB left, "
                  f"back after {seconds:.1f} s", flush=True)
            self.finish_everything()
        self.assertIsNone(self.server.process.poll())
        self.assertEqual(pid, self.server.process.pid)
        self.server.kill()
        self.api.close()
        self.server.start()
        self.server.wait_ready()
        for task in self.accepted:
            status, record = self.api.call("GET", f"/api/v1/tasks/{task}")
            self.assertEqual((200, "completed"), (status, record.get("status")), task)

    def log(self):
        with open(self.server.log, encoding="utf-8") as file:
            return f"{self.free() >> 20} MiB free\n" + file.read()

    def finish_everything(self):
        """All that was accepted is given out and ends once."""
        settles = []
        while True:
            status, answer = self.api.call("POST", "/api/v1/work", {
                "worker": {"instance": "w"}, "types": ["t"], "want": 100, "max_bytes": 64 << 20, "settle": settles})
            self.assertEqual(200, status, answer)
            self.finished += [item["task_id"] for item in answer["settled"] if item["result"] == "recorded"]
            settles = [{"token": lease["token"], "outcome": "completed"} for lease in answer["leases"]]
            if not settles:
                break
        self.assertEqual(sorted(self.accepted), sorted(self.finished))


if __name__ == "__main__":
    unittest.main()
