"""Producers and workers: clients that repeat what was not answered, and write down all they see."""

import asyncio
import json
import random
import threading
import time
import zlib

from client import Client

TASK_TYPE = "crash"
LEASE_SECONDS = 3
BACKOFF_SECONDS = 0.5
RECORDED = ("recorded", "already_recorded")
PAUSE, PAUSE_MAX = 0.02, 0.3  # seconds before something unanswered is repeated: doubled each time, longer by chance


class Load:
    """Many clients against one port, each with a connection of its own, in one thread; the server may vanish at any
    time. The methods are for the thread that began it."""

    def __init__(self, port, ledger, seed, producers, workers, backlog_max):
        self.port, self.ledger, self.backlog_max = port, ledger, backlog_max
        self.open = set()  # submitted, not known to have ended
        self.recent = []  # last acknowledged tasks, for a look after the next start
        self.acknowledged = self.ended = 0
        self._wanted, self.enough = 0, threading.Event()
        self.producing, self.stopping = True, False
        self.failure = None
        self._clients = [Producer(self, f"p{number}", random.Random(f"{seed} p{number}"), single=number % 4 == 3)
                         for number in range(producers)]
        self._clients += [Worker(self, f"w{number}", random.Random(f"{seed} w{number}")) for number in range(workers)]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self):
        try:
            await asyncio.gather(*(client.run() for client in self._clients))
        except Exception as error:  # noqa: BLE001  a client that breaks must break the test
            self.failure = self.failure or f"{type(error).__name__}: {error}"

    def start(self):
        self._thread.start()

    def stop(self):
        self.stopping = True
        self._thread.join(30)

    def want(self, more):
        """`enough` is set when so many more are acknowledged."""
        self._wanted = self.acknowledged + more
        self.enough.clear()

    def backlog(self):
        return len(self.open)

    # For the clients.

    def submitted(self, tasks):
        self.open.update(tasks)

    def accepted(self, tasks):
        self.acknowledged += len(tasks)
        if self.acknowledged >= self._wanted:
            self.enough.set()
        self.recent = (self.recent + tasks)[-200:]

    def settled(self, tasks):
        self.ended += len(tasks)
        self.open.difference_update(tasks)

    async def until_answered(self, client, method, path, body, on_silence):
        """Repeats one request word by word until the server says something definite; None when stopped."""
        pause, text = PAUSE, json.dumps(body, separators=(",", ":"))
        while not self.stopping:
            try:
                status, answer = await client.call(method, path, text)
                if status < 500:
                    return status, answer
            except ConnectionError:
                on_silence()
            await asyncio.sleep(random.uniform(pause, 2 * pause))
            pause = min(2 * pause, PAUSE_MAX)
        return None


class Producer:
    def __init__(self, load, name, chance, single):
        self._load, self._name, self._chance, self._single = load, name, chance, single
        self._calls = 0

    async def run(self):
        client = Client(self._load.port)
        while not self._load.stopping:
            if not self._load.producing or self._load.backlog() > self._load.backlog_max:
                await asyncio.sleep(PAUSE)
                continue
            await self._submit(client)

    async def _submit(self, client):
        self._calls += 1
        call, load = f"{self._name}-{self._calls}", self._load
        now = time.time()
        tasks = [self._task(f"{call}-{n}") for n in range(1 if self._single else self._chance.randint(1, 60))]
        load.submitted([task["task_id"] for task in tasks])
        load.ledger.write("ask", call, [[task["task_id"], now + task["delay"] if "delay" in task else 0]
                                        for task in tasks])
        path, body = ("/api/v1/tasks", tasks[0]) if self._single else ("/api/v1/tasks/batch", tasks)
        answered = await load.until_answered(client, "POST", path, body,
                                             lambda: load.ledger.write("lost_answer", call))
        if answered is None:
            return
        status, answer = answered
        if status != 202:
            raise AssertionError(f"{call}: {status} {answer}")
        items = [answer] if self._single else answer["items"]
        accepted = [item["task_id"] for item in items if "task_id" in item]
        if len(accepted) != len(tasks):
            raise AssertionError(f"{call}: {answer}")
        load.ledger.write("ack", call, accepted)
        load.accepted(accepted)

    def _task(self, name):
        task = {"task_id": name, "task_type": TASK_TYPE, "queue": f"q{self._chance.randrange(3)}",
                "payload": {"n": name}, "max_retries": 1000,
                "backoff": {"kind": "fixed", "initial": BACKOFF_SECONDS, "jitter": 0}}
        if self._chance.random() < 0.3:
            task["priority"] = self._chance.randint(-100, 100)
        if self._chance.random() < 0.1:
            task["delay"] = round(self._chance.uniform(0.5, 1.5), 3)
        return task


class Worker:
    def __init__(self, load, name, chance):
        self._load, self._name, self._chance = load, name, chance
        self._lives = self._calls = 0

    async def run(self):
        client = Client(self._load.port)
        instance, leases = self._reborn(), []
        while not self._load.stopping:
            settles = [End(lease, self._chance) for lease in leases]
            answer = await self._work(client, instance, leases, settles)
            if answer is None:
                return
            leases = answer["leases"]
            if self._chance.random() < 0.002:  # this worker dies; its leases run out
                instance, leases = self._reborn(), []

    def _reborn(self):
        self._lives += 1
        return f"{self._name}-{self._lives}"

    async def _work(self, client, instance, leases, settles):
        self._calls += 1
        load, ledger = self._load, self._load.ledger
        body = {"worker": {"instance": instance}, "request_id": f"r{self._calls}", "types": [TASK_TYPE],
                "want": 48, "wait": 0.3, "lease_seconds": LEASE_SECONDS, "settle": [end.report for end in settles]}
        if settles:
            ledger.write("tell", instance, [[end.task, end.fence, end.outcome, end.not_before] for end in settles])
            children = [child for end in settles for child in end.children]
            if children:
                load.submitted(children)
                ledger.write("ask", instance, [[child, 0] for child in children])
        asked = time.time()
        answered = await load.until_answered(client, "POST", "/api/v1/work", body,
                                             lambda: ledger.write("lost_answer", instance))
        if answered is None:
            return None
        status, answer = answered
        if status != 200:
            raise AssertionError(f"{instance}: {status} {answer}")
        if answer["leases"]:
            ledger.write("grant", instance, asked,
                         [[lease["task_id"], lease["fence"], lease["attempt"]] for lease in answer["leases"]])
        if settles:
            told = list(zip(settles, [item["result"] for item in answer["settled"]]))
            ledger.write("told", instance, [[end.task, end.fence, result, end.children] for end, result in told])
            load.settled([end.task for end, result in told
                          if result in RECORDED and end.outcome in ("completed", "failed")])
        return answer


class End:
    """How one attempt ends. What a task leads to depends on its id alone, so that every attempt of it agrees."""

    def __init__(self, lease, chance):
        self.task, self.fence = lease["task_id"], lease["fence"]
        self.children, self.not_before = [], 0
        fate, luck = zlib.crc32(self.task.encode()) % 500, chance.random()
        self.report = {"token": lease["token"]}
        if luck < 0.02:
            self._is("retry", BACKOFF_SECONDS, outcome="failed", error={"type": "Chance", "message": "try again"})
        elif luck < 0.03:
            self._is("deferred", BACKOFF_SECONDS, outcome="deferred", delay=BACKOFF_SECONDS)
        elif luck < 0.04:
            self._is("released", 0, outcome="released")
        elif fate == 0:
            self._is("failed", 0, outcome="failed", permanent=True, error={"type": "Fate", "message": "never"})
        else:
            self._is("completed", 0, outcome="completed", result={"by": lease["attempt"]})
            if fate <= 15 and not self.task.endswith(".child"):
                self.children = [self.task + ".child"]
                self.report["enqueue"] = [{"task_id": self.children[0], "task_type": TASK_TYPE, "max_retries": 1000}]

    def _is(self, kind, pause, **report):
        self.outcome = kind
        self.not_before = time.time() + pause if pause else 0
        self.report.update(report)
