"""serve: how it starts, what it refuses, how it ends."""

import http.client
import os
import signal
import stat
import time

from program import Case, main


class Serve(Case):
    def test_the_banner_says_where_and_how_durable(self):
        server = self.serve()
        self.assertIn("broker", server.banner)
        self.assertIn("(from --broker)", server.banner)
        self.assertIn("disk: an answer survives power loss", server.banner)
        self.assertIn("2 slots in a supervised child process", server.banner)
        self.assertIn(self.path("data"), server.banner)

    def test_a_submitted_task_is_run(self):
        server = self.serve()
        status, answer = server.call("POST", "/api/v1/tasks?wait=10", {"task_type": "echo", "payload": {"n": 1}})
        self.assertIn(status, (200, 202))
        self.assertEqual(answer["outcome"]["status"], "completed")
        self.assertEqual(answer["outcome"]["result"], {"n": 1})

    def test_the_url_file_holds_the_bound_address(self):
        server = self.serve("--url-file", self.path("url")).wait_until_ready()
        with open(self.path("url"), encoding="utf-8") as file:
            self.assertEqual(file.read().strip(), server.url)

    def test_sigterm_drains_and_exits_with_0(self):
        server = self.serve().wait_until_ready()
        begun = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(server.events()[-1]["event"], "stopped")

    def test_an_attempt_that_runs_may_finish_during_the_drain(self):
        server = self.serve().wait_until_ready()
        _, task = server.call("POST", "/api/v1/tasks", {"task_type": "sleep", "payload": {"seconds": 3}})
        path = "/api/v1/tasks/" + task["task_id"]
        while server.call("GET", path)[1]["status"] != "processing":
            time.sleep(0.01)
        # Granted is not yet begun; what was granted later and has ended says that it is.
        server.call("POST", "/api/v1/tasks?wait=10", {"task_type": "echo"})
        self.assertEqual(server.stop(), 0)
        again = self.serve("--workers", "0")
        record = again.call("GET", path)[1]
        self.assertEqual((record["status"], record["attempts_total"]), ("completed", 1))

    def test_a_long_poll_is_answered_by_the_drain(self):
        server = self.serve("--workers", "0")
        _, task = server.call("POST", "/api/v1/tasks", {"task_type": "echo"})
        poll = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
        poll.request("GET", f"/api/v1/tasks/{task['task_id']}/result?wait=30")
        # One I/O thread reads in order: when this answer is here, the poll before it was read and waits.
        for _ in range(3):
            server.call("GET", "/metrics")
        begun = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertIn(poll.getresponse().status, (200, 202, 204, 503))
        self.assertLess(time.monotonic() - begun, 15)

    def test_a_second_signal_shortens_the_drain(self):
        server = self.serve().wait_until_ready()
        _, task = server.call("POST", "/api/v1/tasks", {"task_type": "sleep", "payload": {"seconds": 60}})
        while server.call("GET", "/api/v1/tasks/" + task["task_id"])[1]["status"] != "processing":
            time.sleep(0.01)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        while not any(event["event"] == "draining" for event in server.events()):
            time.sleep(0.01)
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begun, 14)

    def test_kill_9_loses_no_acknowledged_task(self):
        server = self.serve("--workers", "0")
        ids = [server.call("POST", "/api/v1/tasks", {"task_type": "echo", "payload": {"n": n}})[1]["task_id"]
               for n in range(200)]
        server.stop(signal.SIGKILL)
        again = self.serve()
        for task in ids:
            status, record = again.call("GET", f"/api/v1/tasks/{task}/result?wait=20")
            self.assertEqual((status, record["status"]), (200, "completed"))

    def test_a_second_server_on_the_directory_is_refused_with_the_way_to_the_first(self):
        server = self.serve()
        second = self.command("serve", "--broker", f"file:{self.path('data')}", "--listen", "127.0.0.1:0")
        self.assertEqual(second.status, 4)
        self.assertIn(f"is open in millrace serve (pid {server.process.pid}); use --server {server.url}", second.errors)
        self.assertIn("[open_elsewhere]", second.errors)

    def test_an_address_in_use_is_refused(self):
        server = self.serve()
        second = self.command("serve", "--broker", "memory:", "--workers", "0", "--listen", server.url[len("http://"):])
        self.assertEqual(second.status, 4)
        self.assertIn("Address already in use", second.errors)

    def test_readiness_waits_for_the_workers(self):
        server = self.serve().wait_until_ready()
        types = server.call("GET", "/api/v1/task-types")[1]["task_types"]
        self.assertTrue(all(kind["served"] for kind in types))

    def test_metrics_tell_of_tasks_requests_and_process(self):
        server = self.serve()
        server.call("POST", "/api/v1/tasks?wait=10", {"task_type": "echo"})
        text = server.call("GET", "/metrics")[1]
        lines = set(text.splitlines())
        self.assertLessEqual({'millrace_tasks_enqueued_total{queue="default"} 1',
                              'millrace_http_requests_total{route="submit_task",code="2xx"} 1'}, lines)
        self.assertTrue(any(line.startswith("process_resident_memory_bytes ") for line in lines))
        self.assertFalse(any('route="purge_queue"' in line for line in lines), "nobody asked for it")

    def test_task_events_are_json_lines(self):
        server = self.serve()
        server.call("POST", "/api/v1/tasks?wait=10", {"task_id": "t1", "task_type": "echo"})
        server.stop()
        event = next(event for event in server.events() if event["event"] == "task_completed")
        self.assertEqual((event["task_id"], event["task_type"], event["status"], event["level"]),
                         ("t1", "echo", "completed", "info"))

    def test_a_memory_broker_says_that_it_keeps_nothing(self):
        server = self.serve("--broker", "memory:", "--workers-inline")
        self.assertIn("survives nothing", server.banner)
        self.assertEqual(server.call("POST", "/api/v1/tasks?wait=10", {"task_type": "echo"})[1]["durability"], "memory")
        self.assertEqual(server.stop(), 0)

    def test_a_unix_socket_is_an_address(self):
        server = self.serve(listen=("127.0.0.1:0", f"unix:{self.path('gate.sock')}"))
        mode = os.stat(self.path("gate.sock")).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(server.stop(), 0)


class SafeDefaults(Case):
    def test_the_data_directory_is_its_owners(self):
        self.serve()
        self.assertEqual(stat.S_IMODE(os.stat(self.path("data")).st_mode), 0o700)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("data/lock")).st_mode), 0o600)

    def test_a_public_bind_without_tokens_and_tls_is_refused(self):
        refused = self.command("serve", "--broker", "memory:", "--listen", "0.0.0.0:0")
        self.assertEqual(refused.status, 2)
        self.assertIn("beyond loopback it needs token_file, tls_cert and tls_key, or insecure_bind", refused.errors)

    def test_an_insecure_bind_is_loud(self):
        server = self.serve("--insecure-bind", listen=("127.0.0.1:0", "0.0.0.0:0"))
        server.process.send_signal(signal.SIGTERM)
        rest = server.process.stdout.read().decode()
        self.assertIn("OPEN TO THE NETWORK", rest)
        self.assertIn("without tokens", rest)
        self.assertEqual(server.stop(), 0)

    def test_exec_needs_a_token_even_on_loopback(self):
        status, answer = self.serve().call("POST", "/api/v1/tasks", {"task_type": "exec", "payload": {"command": "sh"}})
        self.assertEqual(status, 401)
        self.assertEqual(answer["code"], "unauthorized")

    def test_a_foreign_host_name_is_refused(self):
        self.assertEqual(self.serve().call("GET", "/api/v1/health", headers={"Host": "evil.example"})[0], 421)


if __name__ == "__main__":
    main()
