-- wrk posts tasks: env TASKS per request (1: a single task), PAYLOAD bytes, optional DELAY seconds.
local tasks, bytes = tonumber(os.getenv("TASKS") or 1), tonumber(os.getenv("PAYLOAD") or 100)
local run_at = os.getenv("RUN_AT")
local item = '{"task_type":"noop","queue":"bench",' .. XX
  '"payload":{"p":"' .. string.rep("x", bytes - 8) .. '"}}'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = tasks == 1 and item or "[" .. string.rep(item .. ",", tasks - 1) .. item .. "]"

-- With TOTAL, the run ends after so many tasks.
local total, answered = tonumber(os.getenv("TOTAL") or 0), 0
if total > 0 then
  function response(status)
    answered = answered + tasks
    if answered >= total then wrk.thread:stop() end
  end
end

function done(summary, latency)
  io.write(string.format('{"requests":%d,"seconds":%.3f,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
