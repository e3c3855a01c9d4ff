#!/usr/bin/env python3
"""One directory belongs to one process, and must be on a file system that keeps what is written."""

import os
import shutil
import subprocess
import tempfile
import unittest

from promise import BINARY, PromiseTest
from server import CLEAN, free_port

OPEN_ELSEWHERE = 4


class SecondProcessTest(PromiseTest):
    def try_to_serve(self, data, *options):
        return subprocess.run([BINARY, "serve", "--listen", f"127.0.0.1:{free_port()}", "--broker", f"file:{data}",
                               "--workers", "0", *options], cwd=self.folder, env=CLEAN, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30, check=False)

    def test_the_second_process_is_refused_with_pid_and_url_of_the_first(self):
        first = self.serve("--workers", "0", "--ballast-bytes", "0")
        second = self.try_to_serve(first.data)
        self.assertEqual(OPEN_ELSEWHERE, second.returncode, second.stderr)
        self.assertIn(str(first.process.pid), second.stderr)
        self.assertIn(f"http://127.0.0.1:{first.port}", second.stderr)
        self.assertEqual(202, self.connect(first).call("POST", "/api/v1/tasks", {"task_type": "t"})[0])

    def test_a_killed_process_leaves_no_lock(self):
        first = self.serve("--workers", "0", "--ballast-bytes", "0")
        first.kill()
        first.start()
        self.assertLess(first.wait_ready(), 5)

    @unittest.skipUnless(os.path.isdir("/dev/shm"), "no tmpfs at /dev/shm")
    def test_a_file_system_in_memory_is_refused_unless_allowed(self):
        folder = tempfile.mkdtemp(dir="/dev/shm")
        self.addCleanup(shutil.rmtree, folder)
        refused = self.try_to_serve(folder + "/data")
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("tmpfs", refused.stderr)
        self.serve("--workers", "0", "--ballast-bytes", "0", "--allow-unsafe-filesystem", folder=folder)


if __name__ == "__main__":
    unittest.main()
