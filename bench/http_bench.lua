wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"task_type":"echo","payload":{"to":"somebody@example.com","subject":"hello","n":12345},"queue":"mail"}'
