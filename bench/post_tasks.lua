-- wrk posts tasks: env TASKS per request (1: a single task) and PAYLOAD bytes each.
local tasks, bytes = tonumber(os.getenv("TASKS") or 1), tonumber(os.getenv("PAYLOAD") or 100)
local item = '{"task_type":"noop","queue":"bench","payload":{"p":"' .. string.rep("x", bytes - 8) .. '"}}'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = tasks == 1 and item or "[" .. string.rep(item .. ",", tasks - 1) .. item .. "]"

function done(summary, latency)
  io.write(string.format('{"requests":%d,"seconds":%.3f,"errors":%d,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
