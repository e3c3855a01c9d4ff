"""What the tests of single promises share: the binary, a folder, and waiting for something to become true."""

import os
import sys
import tempfile
import time
import unittest

from server import Connection, Server

BINARY = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "build/millrace")


class PromiseTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="millrace-promise-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def serve(self, *options, folder=None):
        server = Server(BINARY, folder or self.folder, *options)
        server.start()
        self.addCleanup(lambda: server.process.poll() is None and server.kill())
        server.wait_ready()
        return server

    def connect(self, server):
        connection = Connection(server.port)
        self.addCleanup(connection.close)
        return connection

    def eventually(self, seconds, what, question):
        """The first true answer, and after how long it came."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            answer = question()
            if answer:
                return answer, time.monotonic() - began
            time.sleep(0.05)
        self.fail(f"not within {seconds} s: {what}")
