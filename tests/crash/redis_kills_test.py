#!/usr/bin/env python3
"""Two gateways and four workers share one Redis; one of the seven is killed again and again under load. What was
acknowledged is there, and completed once (RELIABILITY T51: `appendfsync always`).

Needs redis-server; without it the test says so and is skipped."""

import collections
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

from promise import BINARY, PromiseTest
from server import CLEAN, Connection, Server, free_port

ROUNDS = int(os.environ.get("CRASH_REDIS_ROUNDS", "12"))
SEED = int(os.environ.get("CRASH_REDIS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
PRODUCERS = 4
QUEUES = 3
ACKNOWLEDGED_PER_ROUND = 40
LEASE_SECONDS = 2
PROGRESS_WITHIN = 15  # seconds: acknowledgements go on after a restart
DONE_WITHIN = 30  # seconds after the last restart; a lost lease, and the pauses after two crashes, are part of them
PATIENCE = 5  # seconds for an answer, before the same is asked of the other gateway
PAUSE, PAUSE_MAX = 0.02, 0.3
SKIPPED = 77


class Program:
    """A process that is killed and started again with the same words; what it says goes to a file."""

    def __init__(self, folder, name, *words):
        self.log = os.path.join(folder, f"{name}.log")
        self._folder, self._words = folder, words
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self._words, cwd=self._folder, env=CLEAN, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def wait_ready(self):
        """A worker is ready when it is: others do its work until then."""

    def kill(self):
        self.process.kill()
        return self.process.wait()


class Redis(Program):
    def __init__(self, folder):
        self.port = free_port()
        data = os.path.join(folder, "redis")
        os.makedirs(data)
        # Its log is rewritten early: one that only grows would take longer to load than a lease lasts.
        super().__init__(folder, "redis", "redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", data,
                         "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                         "--auto-aof-rewrite-min-size", "2mb")

    def url(self):
        return f"redis://127.0.0.1:{self.port}/0"

    def wait_ready(self):
        deadline = time.monotonic() + PROGRESS_WITHIN
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"redis-server does not answer; see {self.log}")


class Producer(threading.Thread):
    """Submits tasks with ids of its own, each at the gateways in turn until one of them acknowledges it."""

    def __init__(self, name, ports):
        super().__init__(name=name, daemon=True)
        self._connections = [Connection(port, PATIENCE) for port in ports]
        self._chance = random.Random(f"{SEED} {name}")
        self.acknowledged = {}  # id: payload
        self.repeated = 0
        self.stopping, self.failure = False, None

    def run(self):
        try:
            while not self.stopping:
                self._submit(f"{self.name}-{len(self.acknowledged)}")
        except Exception as error:  # noqa: BLE001  a producer that breaks must break the test
            self.failure = f"{type(error).__name__}: {error}"
        finally:
            for connection in self._connections:
                connection.close()

    def _submit(self, name):
        task, pause = self._task(name), PAUSE
        self._chance.shuffle(self._connections)
        while not self._accepts(self._connections[0], task):
            self.repeated += 1
            self._connections.reverse()
            time.sleep(self._chance.uniform(pause, 2 * pause))
            pause = min(2 * pause, PAUSE_MAX)
        self.acknowledged[name] = task["payload"]

    def _task(self, name):
        # Now and then one that takes a while, so that a killed worker had something in its hands.
        slow = self._chance.random() < 0.1
        return {"task_id": name, "task_type": "sleep" if slow else "echo", "queue": f"q{self._chance.randrange(QUEUES)}",
                "payload": {"seconds": 0.1} if slow else {"n": name}}

    @staticmethod
    def _accepts(connection, task):
        try:
            status, answer = connection.call("POST", "/api/v1/tasks", task)
        except ConnectionError:
            return False
        if status == 429 or status >= 500:
            return False
        if status not in (200, 202) or answer["task_id"] != task["task_id"]:
            raise AssertionError(f"{task}: {status} {answer}")
        return True


class RedisKillsTest(PromiseTest):
    def setUp(self):
        super().setUp()
        self.chance = random.Random(SEED)
        self.redis = Redis(self.folder)
        self.begin(self.redis)
        self.gateways = [Server(BINARY, self.folder, "--workers", "0", "--lease-seconds", str(LEASE_SECONDS),
                                broker=self.redis.url(), name=f"gateway{number}") for number in range(2)]
        for gateway in self.gateways:
            self.begin(gateway)
        # Over either gateway, and at Redis itself.
        doors = [("--server", f"http://127.0.0.1:{gateway.port}") for gateway in self.gateways]
        doors += [("--broker", self.redis.url())] * 2
        self.workers = [Program(self.folder, f"worker{number}", BINARY, "worker", "run", *door, "--workers", "2",
                                "--worker-name", f"worker{number}", "--lease-seconds", str(LEASE_SECONDS))
                        for number, door in enumerate(doors)]
        for worker in self.workers:
            self.begin(worker)
        self.producers = [Producer(f"p{number}", [gateway.port for gateway in self.gateways])
                          for number in range(PRODUCERS)]

    def begin(self, program):
        program.start()
        self.addCleanup(lambda: program.process.poll() is None and program.kill())
        program.wait_ready()

    def test_what_was_acknowledged_is_completed_once_whoever_is_killed(self):
        print(f"CRASH_REDIS_SEED={SEED} CRASH_REDIS_ROUNDS={ROUNDS}", flush=True)
        kills = collections.Counter()
        for producer in self.producers:
            producer.start()
        for _ in range(ROUNDS):
            self.wait_for_the_moment()
            kind = self.chance.choice(("worker", "gateway", "redis"))
            victim = self.redis if kind == "redis" else self.chance.choice(
                self.workers if kind == "worker" else self.gateways)
            victim.kill()
            kills[kind] += 1
            time.sleep(self.chance.uniform(0, 0.3))
            victim.start()
            victim.wait_ready()
        acknowledged = self.stop_producers()
        self.judge(acknowledged, kills)

    def wait_for_the_moment(self):
        """Some acknowledgements, then a moment by chance."""
        wanted = self.acknowledged_count() + ACKNOWLEDGED_PER_ROUND
        self.eventually(PROGRESS_WITHIN, "acknowledgements go on", lambda: self.acknowledged_count() >= wanted)
        time.sleep(self.chance.uniform(0, 0.1))
        self.check()

    def check(self):
        for program in (self.redis, *self.gateways, *self.workers):
            self.assertIsNone(program.process.poll(), f"ended by itself: {tail(program.log)}")
        for producer in self.producers:
            self.assertIsNone(producer.failure)

    def acknowledged_count(self):
        return sum(len(producer.acknowledged) for producer in self.producers)

    def stop_producers(self):
        """All that was acknowledged; each producer ends with an acknowledgement, so nothing else was submitted."""
        for producer in self.producers:
            producer.stopping = True
        for producer in self.producers:
            producer.join(PROGRESS_WITHIN)
            self.assertFalse(producer.is_alive(), f"{producer.name} still waits for an acknowledgement")
        self.check()
        return {task: payload for producer in self.producers for task, payload in producer.acknowledged.items()}

    def judge(self, acknowledged, kills):
        api = [self.connect(gateway) for gateway in self.gateways]
        seconds = self.wait_until_done(api[0], len(acknowledged))
        self.check()
        for connection in api:
            tasks = list(everything(connection))
            ids = collections.Counter(task["task_id"] for task in tasks)
            self.assertEqual([], [name for name, times in ids.items() if times > 1], "listed twice")
            self.assertEqual([], sorted(acknowledged.keys() - ids.keys()), "LOST")
            self.assertEqual([], sorted(ids.keys() - acknowledged.keys()), "never submitted")
            self.assertEqual([], [task for task in tasks if completions(task) != 1][:5], "not completed exactly once")
            self.assertEqual(self.statuses(tasks), self.counts(connection))
        for name in self.chance.sample(sorted(acknowledged), min(200, len(acknowledged))):
            self.look_at(api[self.chance.randrange(2)], name, acknowledged[name])
        stats = api[1].call("GET", "/api/v1/stats")[1]
        again = sum(task["attempts_total"] - 1 for task in tasks)
        print(f"killed {dict(kills)}; {len(acknowledged)} acknowledged, "
              f"{sum(producer.repeated for producer in self.producers)} submissions repeated, {again} attempts repeated, "
              f"leases lost {stats['lease_lost_total']}, crashed {stats['crashed_total']}, drained in {seconds:.1f} s")
        for total in ("enqueued_total", "completed_total"):
            self.assertEqual(len(acknowledged), sum(queue[total] for queue in stats["queues"]), total)
        self.assertEqual(0, sum(worker["leases"] for worker in stats["workers"]), stats["workers"])

    def wait_until_done(self, api, wanted):
        began = time.monotonic()
        while sum(self.counts(api).get(status, 0) for status in ("completed", "failed")) < wanted:
            if time.monotonic() - began > DONE_WITHIN:
                left = [task for task in everything(api) if task["status"] != "completed"]
                logs = "\n".join(tail(program.log) for program in (self.redis, *self.gateways, *self.workers))
                self.fail(f"stuck: {len(left)} of {wanted}: {left[:5]}\n{self.counts(api)}\n{logs}")
            time.sleep(0.1)
        return time.monotonic() - began

    @staticmethod
    def counts(api):
        total = collections.Counter()
        for queue in api.call("GET", "/api/v1/stats")[1]["queues"]:
            total.update({status: number for status, number in queue["counts"].items() if number})
        return dict(total)

    @staticmethod
    def statuses(tasks):
        return dict(collections.Counter(task["status"] for task in tasks))

    def look_at(self, api, name, payload):
        status, task = api.call("GET", f"/api/v1/tasks/{name}")
        self.assertEqual((200, "completed", payload), (status, task.get("status"), task.get("payload")), task)
        if task["task_type"] == "echo":
            self.assertEqual(payload, task["result"])


def everything(api):
    cursor = ""
    while cursor is not None:
        status, page = api.call("GET", "/api/v1/tasks?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        if status != 200:
            raise AssertionError(f"{status} {page}")
        yield from page["tasks"]
        cursor = page["next"]


def completions(task):
    """How often it was completed; 0 also when that is not how it stands."""
    ended = sum(attempt.get("outcome") == "completed" for attempt in task["attempts"])
    return ended if task["status"] == "completed" else 0


def tail(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return f"{path}\n" + "".join(collections.deque(file, 20))


if __name__ == "__main__":
    if not shutil.which("redis-server"):
        print("skipped: no redis-server")
        sys.exit(SKIPPED)
    unittest.main()
