#!/usr/bin/env python3
"""A handler that hangs is reclaimed after its timeout, and its slot works again. The worker's process is stopped with
SIGSTOP, so that the handler hears no request to stop."""

import os
import signal
import unittest

from promise import PromiseTest

TIMEOUT = 3
GRACE = 20  # seconds: to stop by itself, before the process is killed


class HungHandlerTest(PromiseTest):
    def test_a_hung_attempt_is_taken_back_and_its_slot_comes_back(self):
        server = self.serve("--workers", "2", "--ballast-bytes", "0")
        api = self.connect(server)
        hung = {"task_id": "hung", "task_type": "sleep", "payload": {"seconds": 600}, "timeout": TIMEOUT,
                "max_retries": 0}
        self.assertEqual(202, api.call("POST", "/api/v1/tasks", hung)[0])
        self.eventually(10, "the attempt begins", lambda: self.status(api, "hung") == "processing")
        # Granted is not yet begun; what was granted later and has ended says that it is. A process that stops before it
        # has noted an attempt is found by its silence alone, which takes longer.
        self.assertEqual(202, api.call("POST", "/api/v1/tasks", {"task_id": "later", "task_type": "echo"})[0])
        self.eventually(10, "a later attempt ends", lambda: self.status(api, "later") == "completed")
        (child,) = server.children()
        os.kill(child, signal.SIGSTOP)
        _, seconds = self.eventually(TIMEOUT + 15, "the attempt ends", lambda: self.status(api, "hung") == "failed")
        self.assertLess(seconds, TIMEOUT + 2 + 0.5)
        self.assertEqual(202, api.call("POST", "/api/v1/tasks", {"task_id": "next", "task_type": "echo"})[0])
        self.eventually(GRACE, "the slot works again", lambda: self.status(api, "next") == "completed")
        self.assertNotIn(child, server.children())
        self.assertEqual(0, server.terminate())

    @staticmethod
    def status(api, task):
        return api.call("GET", f"/api/v1/tasks/{task}")[1].get("status")


if __name__ == "__main__":
    unittest.main()
