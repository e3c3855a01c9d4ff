"""Tokens and roles at the door."""

import os
import stat

from program import Case, main


class Access(Case):
    def token(self, name, role):
        done = self.command("token", "create", name, "--role", role, "--file", self.path("tokens"))
        self.assertEqual(done.status, 0, done.errors)
        return done.out.strip()

    def test_a_token_file_closes_the_door(self):
        producer = self.token("web", "producer")
        viewer = self.token("board", "viewer")
        server = self.serve("--token-file", self.path("tokens"), "--workers", "0")
        task = {"task_type": "echo"}
        self.assertEqual(server.call("POST", "/api/v1/tasks", task)[0], 401)
        self.assertEqual(server.call("POST", "/api/v1/tasks", task, token="mrt_wrong")[0], 401)
        self.assertEqual(server.call("POST", "/api/v1/tasks", task, token=viewer)[0], 403)
        self.assertEqual(server.call("POST", "/api/v1/tasks", task, token=producer)[0], 202)
        self.assertEqual(server.call("GET", "/api/v1/stats", token=viewer)[0], 200)
        self.assertEqual(server.call("GET", "/livez")[0], 200)

    def test_commands_show_their_token(self):
        operator = self.token("me", "operator")
        server = self.serve("--token-file", self.path("tokens"))
        refused = self.command("stats", "--server", server.url)
        self.assertEqual(refused.status, 1)
        self.assertIn("[unauthorized]", refused.errors)
        self.assertIn("MILLRACE_TOKEN", refused.errors)
        self.assertEqual(self.command("stats", "--server", server.url, env={"MILLRACE_TOKEN": operator}).status, 0)
        path = self.write("secret", operator + "\n")
        self.assertEqual(self.command("stats", "--server", server.url, "--client-token-file", path).status, 0)

    def test_the_workers_inside_need_no_token(self):
        producer = self.token("web", "producer")
        server = self.serve("--token-file", self.path("tokens"))
        done = server.call("POST", "/api/v1/tasks?wait=20", {"task_type": "echo"}, token=producer)[1]
        self.assertEqual(done["status"], "completed")

    def test_a_token_is_stored_as_its_digest_only(self):
        secret = self.token("me", "admin")
        with open(self.path("tokens"), encoding="utf-8") as file:
            self.assertNotIn(secret, file.read())
        self.assertEqual(stat.S_IMODE(os.stat(self.path("tokens")).st_mode), 0o600)

    def test_an_unknown_role_is_named(self):
        done = self.command("token", "create", "me", "--role", "root")
        self.assertEqual(done.status, 2)
        self.assertIn("'root'", done.errors)
        self.assertIn("viewer", done.errors)

    def test_a_changed_token_file_is_read_again(self):
        self.token("first", "viewer")
        server = self.serve("--token-file", self.path("tokens"), "--workers", "0")
        second = self.token("second", "viewer")
        while server.call("GET", "/api/v1/stats", token=second)[0] != 200:
            self.assertIsNone(server.process.poll())

    def test_changes_are_audited(self):
        operator = self.token("me", "operator")
        server = self.serve("--token-file", self.path("tokens"), "--workers", "0")
        server.call("POST", "/api/v1/queues/mail/pause", token=operator)
        server.stop()
        audit = next(event for event in server.events() if event["event"] == "audit")
        self.assertEqual((audit["actor"], audit["action"], audit["object"], audit["result"]),
                         ("me", "queue.pause", "mail", "done"))


if __name__ == "__main__":
    main()
