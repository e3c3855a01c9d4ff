"""Where settings come from, and that secrets stay secret."""

import json

from program import Case, main


class Settings(Case):
    def shown(self, *words, env=None):
        done = self.command("config", "show", "--json", *words, env=env)
        return {item["name"]: item for item in done.json["settings"]}

    def test_flag_beats_environment_beats_file_beats_default(self):
        config = self.write("millrace.toml", 'lease_seconds = 40\naging_seconds = 40\nmax_retries = 40\n')
        env = {"MILLRACE_LEASE_SECONDS": "50", "MILLRACE_AGING_SECONDS": "50"}
        shown = self.shown("--config", config, "--lease-seconds", "60", env=env)
        self.assertEqual((shown["lease_seconds"]["value"], shown["lease_seconds"]["origin"]), ("60", "--lease-seconds"))
        self.assertEqual((shown["aging_seconds"]["value"], shown["aging_seconds"]["origin"]),
                         ("50", "MILLRACE_AGING_SECONDS"))
        self.assertEqual(shown["max_retries"]["value"], "40")
        self.assertIn("millrace.toml line 3", shown["max_retries"]["origin"])
        self.assertEqual(shown["durability"]["origin"], "default")

    def test_an_env_file_is_read(self):
        path = self.write("some.env", "MILLRACE_MAX_RETRIES=9\n")
        self.assertEqual(self.shown("--env-file", path)["max_retries"]["value"], "9")

    def test_an_unknown_key_stops_and_names_the_nearest(self):
        config = self.write("millrace.toml", "leese_seconds = 40\n")
        done = self.command("serve", "--config", config)
        self.assertEqual(done.status, 2)
        self.assertIn("did you mean 'lease_seconds'?", done.errors)

    def test_a_bad_value_names_setting_and_source(self):
        done = self.command("serve", env={"MILLRACE_LEASE_SECONDS": "soon"})
        self.assertEqual(done.status, 2)
        self.assertIn("lease_seconds", done.errors)
        self.assertIn("MILLRACE_LEASE_SECONDS", done.errors)

    def test_secrets_are_never_shown(self):
        secret = "hunter2hunter2"
        env = {"MILLRACE_SMTP_URL": f"smtps://me:{secret}@mail.example", "MILLRACE_TOKEN": secret,
               "MILLRACE_SMTP_RECIPIENT_DOMAINS": "*"}
        for words in (["config", "show"], ["config", "show", "--json"]):
            done = self.command(*words, env=env)
            self.assertNotIn(secret, done.out + done.errors)
            self.assertIn("***", done.out)
        server = self.serve(env={**env, "MILLRACE_LOG_LEVEL": "debug"})
        server.wait_until_ready()
        server.stop()
        self.assertNotIn(secret, server.banner + server.errors())

    def test_an_older_broker_variable_does_not_take_tasks_away_silently(self):
        done = self.command("serve", env={"RABBITMQ_HOST": "rabbit.example"})
        self.assertEqual(done.status, 2)
        self.assertIn("RABBITMQ_HOST", done.errors)

    def test_an_older_redis_variable_names_the_broker_and_nothing_else_serves_in_its_place(self):
        done = self.command("serve", env={"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"})
        self.assertEqual(done.status, 3)
        self.assertIn("redis at 127.0.0.1:1", done.errors)

    def test_config_show_reports_problems_with_a_status(self):
        done = self.command("config", "show", "--json", "--listen", "0.0.0.0:1")
        self.assertEqual(done.status, 2)
        self.assertTrue(json.loads(done.out)["problems"])

    def test_task_defaults_come_from_the_settings(self):
        server = self.serve("--workers", "0", env={"MAX_RETRIES": "7", "RETRY_BASE_DELAY": "3"})
        task = server.call("POST", "/api/v1/tasks", {"task_type": "echo"})[1]["task_id"]
        record = server.call("GET", f"/api/v1/tasks/{task}")[1]
        self.assertEqual(record["max_retries"], 7)
        self.assertEqual(record["backoff"], {"kind": "exponential", "initial": 3, "factor": 3, "max": 0, "jitter": 0})
        task = server.call("POST", "/api/v1/tasks", {"task_type": "echo", "max_retries": 3})[1]["task_id"]
        self.assertEqual(server.call("GET", f"/api/v1/tasks/{task}")[1]["max_retries"], 3)


if __name__ == "__main__":
    main()
