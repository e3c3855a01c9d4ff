"""Client commands against a running server."""

import json
import os
import signal
import subprocess
import time

from program import BINARY, Case, Server, clean_environment, main


class Client(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def cli(self, *words, **more):
        return self.command(*words, env={"MILLRACE_SERVER": self.server.url, **more.pop("env", {})}, **more)

    def fail_one(self, *words):
        return self.cli("enqueue", "fail_task", "--max-retries", "0", "--wait", "--json", *words).json["task_id"]

    def test_words_build_the_payload(self):
        done = self.cli("enqueue", "echo", "to=a@b.c", "n:=3", "deep:={\"a\":[1.50]}", "--wait", "--json")
        self.assertEqual(done.status, 0)
        self.assertEqual(done.json["result"], {"to": "a@b.c", "n": 3, "deep": {"a": [1.5]}})

    def test_a_file_and_standard_input_are_payloads(self):
        path = self.write("p.json", '{"a": 1.50}')
        self.assertEqual(self.cli("enqueue", "echo", f"@{path}", "b=2", "--wait", "--json").json["result"],
                         {"a": 1.5, "b": "2"})
        sent = self.cli("task", "submit", "echo", "-", "--json", given=b'{ "a": 1.50 }')
        self.assertEqual(self.cli("wait", sent.json["task_id"]).status, 0)
        self.assertIn('"payload":{ "a": 1.50 }', self.cli("get", sent.json["task_id"], "--json").out)

    def test_wrong_words_are_usage_errors_that_name_the_word(self):
        for words, named in (
            (["enqueue", "echo", "n:=oops"], "'n:=oops'"),
            (["enqueue", "echo", "word"], "'word'"),
            (["enqueue", "echo", "--priority", "urgent"], "--priority"),
            (["enqueue", "echo", "--delay", "soon"], "--delay"),
            (["enqueue", "echo", "--wait=soon"], "--wait"),
            (["enqueue", "no such type"], "task_type"),
            (["list", "--status", "done"], "--status"),
            (["enqueue"], "type is required"),
            (["frobnicate"], "frobnicate"),
            (["list", "--frob"], "--frob"),
            ([], "subcommand"),
        ):
            with self.subTest(words):
                done = self.cli(*words)
                self.assertEqual(done.status, 2, done.errors)
                self.assertIn(named, done.errors)

    def test_wait_tells_how_the_task_ended(self):
        self.assertEqual(self.cli("enqueue", "echo", "--wait").status, 0)
        self.assertEqual(self.cli("enqueue", "fail_task", "--max-retries", "0", "--wait").status, 1)
        late = self.cli("enqueue", "sleep", "seconds:=30", "--id", "late", "--wait=0.2")
        self.assertEqual(late.status, 124)
        self.assertIn("late", late.errors)
        self.assertEqual(self.cli("wait", "late", "--for", "0.1").status, 124)
        self.assertEqual(self.cli("cancel", "late").status, 0)
        self.assertEqual(self.cli("wait", "late").status, 1)

    def test_a_task_is_shown_with_its_attempts(self):
        self.cli("enqueue", "echo", "--id", "t1", "--tag", "team:blue", "--wait")
        text = self.cli("task", "get", "t1").out
        for word in ("completed", "team: blue", "attempt", "durability"):
            self.assertIn(word, text)

    def test_an_unknown_task_is_named(self):
        done = self.cli("get", "nope")
        self.assertEqual(done.status, 1)
        self.assertIn("nope", done.errors)
        self.assertIn("[not_found]", done.errors)

    def test_options_of_a_task_arrive(self):
        self.cli("enqueue", "echo", "--id", "o", "--queue", "mail", "--priority", "high", "--delay", "1h", "--timeout",
                 "90", "--max-retries", "7", "--key", "k1", "--header", "traceparent:00-ab")
        record = self.cli("get", "o", "--json").json
        self.assertEqual(record["queue"], "mail")
        self.assertEqual(record["priority"], 50)
        self.assertEqual(record["status"], "scheduled")
        self.assertEqual(record["timeout"], 90)
        self.assertEqual(record["max_retries"], 7)
        self.assertEqual(record["idempotency_key"], "k1")
        self.assertEqual(record["headers"], {"traceparent": "00-ab"})
        self.assertEqual(self.cli("task", "run-now", "o").status, 0)
        self.assertEqual(self.cli("wait", "o").status, 0)

    def test_lists_are_filtered_and_limited(self):
        for n in range(5):
            self.cli("enqueue", "echo", "--id", f"a{n}", "--queue", "q1", "--wait")
        self.cli("enqueue", "echo", "--id", "b", "--queue", "q2", "--wait")
        tasks = self.cli("list", "--queue", "q1", "--limit", "3", "--json").json
        self.assertEqual([task["task_id"] for task in tasks["tasks"]], ["a4", "a3", "a2"])
        self.assertIsNotNone(tasks["next"])
        self.assertEqual(len(self.cli("task", "list", "--status", "completed,failed", "--json").json["tasks"]), 6)
        self.assertIn("a1", self.cli("list").out)

    def test_a_duplicate_is_told(self):
        self.cli("enqueue", "echo", "a=1", "--id", "d")
        again = self.cli("enqueue", "echo", "a=2", "--id", "d")
        self.assertEqual(again.status, 0)
        self.assertIn("duplicate of a task with another payload", again.out)

    def test_an_unserved_type_warns(self):
        self.assertIn("no worker serves 'sned_email'", self.cli("enqueue", "sned_email").errors)

    def test_queues_are_paused_resumed_and_purged(self):
        self.server.wait_until_ready()
        self.cli("enqueue", "echo", "--queue", "q", "--wait")
        self.assertEqual(self.cli("queue", "pause", "q").status, 0)
        for _ in range(3):
            self.cli("enqueue", "echo", "--queue", "q")
        self.assertIn("paused", self.cli("queue", "list").out)
        refused = self.cli("queue", "purge", "q")
        self.assertEqual(refused.status, 2)
        self.assertIn("3 waiting tasks of queue 'q' would be removed; --yes does it", refused.errors)
        self.assertEqual(self.cli("queue", "purge", "q", "--yes", "--json").json["removed"], 3)
        self.assertEqual(self.cli("queue", "resume", "q").status, 0)
        self.assertEqual(self.cli("queue", "purge", "none", "--yes").status, 1)

    def test_dead_letters_are_counted_before_anything_happens(self):
        ids = [self.fail_one() for _ in range(3)]
        self.assertEqual(len(self.cli("dead", "list", "--json").json["tasks"]), 3)
        self.assertEqual(self.cli("dead", "delete").status, 2)
        dry = self.cli("dead", "delete", "--all", "--json")
        self.assertEqual((dry.status, dry.json["matched"], dry.json["done"]), (2, 3, 0))
        self.assertEqual(self.cli("dead", "requeue", ids[0], "--yes", "--json").json["done"], 1)
        self.assertEqual(self.cli("wait", ids[0]).status, 1)
        self.assertEqual(self.cli("dead", "delete", "--type", "fail_task", "--yes", "--json").json["done"], 3)
        self.assertEqual(self.cli("dead", "list", "--json").json["tasks"], [])

    def test_stats_workers_and_health(self):
        self.server.wait_until_ready()
        self.assertIn("fail_task", self.cli("stats").out)
        self.assertIn("queues", self.cli("stats", "--json").json)
        self.assertEqual(len(self.cli("worker", "list", "--json").json["workers"]), 1)
        self.assertEqual(self.cli("health").status, 0)

    def test_doctor_is_content_with_a_good_server(self):
        done = self.cli("doctor", "--broker", f"file:{self.path('data')}", "--json")
        self.assertEqual(done.status, 0, done.out)
        self.assertEqual(done.json["guarantees"]["durability"], "disk")
        self.assertTrue(any(check["check"] == "disk" for check in done.json["checks"]))
        self.assertIn("fsync before every answer", self.cli("doctor").out)

    def test_bench_says_what_it_measured(self):
        done = self.cli("bench", "--tasks", "2000", "--connections", "2", "--batch", "50", "--json").json
        self.assertEqual((done["tasks"], done["durability"], done["batch"]), (2000, "disk", 50))
        self.assertGreater(done["drained_per_second"], 0)

    def test_a_worker_elsewhere_runs_tasks_and_drains(self):
        server = Server(self.folder, "--workers", "0", data="other")
        self.addCleanup(lambda: server.stop(signal.SIGKILL))
        with open(self.path("worker.log"), "wb") as log, subprocess.Popen(
                [BINARY, "worker", "run", "--server", server.url, "--worker-name", "w1"], cwd=self.folder,
                env=clean_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log) as worker:
            try:
                done = server.call("POST", "/api/v1/tasks?wait=20", {"task_type": "echo"})[1]
                self.assertEqual(done["outcome"]["attempts"][0]["worker"], "w1")
            finally:
                worker.send_signal(signal.SIGTERM)
            self.assertEqual(worker.wait(30), 0)

    def test_a_server_that_is_away_has_a_status_of_its_own(self):
        begun = time.monotonic()
        done = self.command("get", "x", "--server", "http://127.0.0.1:1")
        self.assertEqual(done.status, 3)
        self.assertIn("[unavailable]", done.errors)
        self.assertIn("hint:", done.errors)
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_shared_broker_is_used_without_a_server(self):
        broker = f"file:{self.path('shared')}"
        sent = self.command("enqueue", "echo", "--id", "s1", "--broker", broker, "--json").json
        self.assertEqual(sent["durability"], "disk")
        self.assertEqual(self.command("get", "s1", "--broker", broker, "--json").json["status"], "queued")

    def test_recover_only_looks_unless_told(self):
        self.assertEqual(self.command("recover", "data").status, 4)
        self.server.stop()
        done = self.command("recover", "data")
        self.assertEqual(done.status, 0, done.errors)
        self.assertIn("usable", done.out)
        self.assertEqual(self.command("recover", "nothing").status, 1)

    def test_version(self):
        self.assertTrue(self.command("version").out.startswith("millrace "))
        self.assertEqual(self.command("--version").out, self.command("version").out)


if __name__ == "__main__":
    main()
