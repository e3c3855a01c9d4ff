-- Puts tasks into the state that C++ has judged, each if nobody changed it meanwhile.
--   ARGV  channel · how much waiting time one step of priority is worth, in ms · then for each task: the index of its line,
--         from 0 · its number · the revision that was judged · the new head, whose revision is filled in here, or nothing to
--         remove it · its `at`: `+` and ms from now in engine time, `=` and a time, or `.` to keep it · further words:
--         `ends`, the attempt or the task ends now; `lease`, ms from now to its end, or at `cap` if that is before;
--         `patience`, ms from now after which it ends although it is renewed; `detail`, what stands beside the record from
--         now on, empty = nothing; `content` and perhaps `payload`, new ones; `from`, the index of the line it is in, if that
--         is another one; `count`, names of counters; `stop`, why its worker is to stop; `look_at`, when it has to be
--         looked at, 0 = never; `look_after`, the same in ms after its `at`; `outbox`, ms until its children are sent by
--         whoever comes, or -1 when they are sent
--   returns  wall time · engine time · for each task: 1 (done), 0 and its record and detail (it is another one), or -1 (it
--            is gone)
local aging = tonumber(ARGV[2])
local answers, work, seen = {}, {}, {}
local at_argument = 3
while at_argument <= #ARGV do
  local line, number, revision, head, at = KEYS[first_line + tonumber(ARGV[at_argument])], ARGV[at_argument + 1],
    tonumber(ARGV[at_argument + 2]), ARGV[at_argument + 3], ARGV[at_argument + 4]
  local extras
  extras, at_argument = read_extras(at_argument + 5)
  local record = redis.call('HGET', metadata, number)
  if not record then
    answers[#answers + 1] = { -1 }
  elseif revision_of(record) ~= revision or seen[number] then
    answers[#answers + 1] = { 0, record, redis.call('HGET', detail, number) or '' }
  else
    seen[number] = true
    if head ~= '' then
      local mark = string.sub(at, 1, 1)
      local time = mark == '.' and at_of(record) or tonumber(string.sub(at, 2))
      if mark == '+' then time = engine + time end
      head = patched(head, 11, struct.pack('>I4', revision + 1))
      head = patched(head, 21, struct.pack('>I6', time))
      head = patched(head, 33, string.char(bit.bor(marks_of(head), bit.band(marks_of(record), mark_watched))))
      if #head == long_size and extras.ends then head = patched(head, 64, struct.pack('>I6', wall)) end
      if #head == long_size and extras.patience then
        head = patched(head, 64, struct.pack('>I6', engine + tonumber(extras.patience)))
      end
    end
    local from = extras.from and KEYS[first_line + tonumber(extras.from)] or line
    work[#work + 1] = { number, record, head, line, from, extras }
    answers[#answers + 1] = { 1 }
  end
end

-- From here on nothing can fail.
local function index_of(status, line)
  if status == queued_status then return line end
  if status == processing_status then return processing end
  if status == scheduled_status or status == retrying_status then return retry end
  if status == failed_status then return dead_letter end
  return finished
end
local function replace(number, record, head, line, from_line, extras)
  local before, after, time = status_of(record), status_of(head), at_of(head)
  local from, to = index_of(before, from_line), index_of(after, line)
  redis.call('HSET', metadata, number, head .. (extras.content or string.sub(record, head_size(record) + 1)))
  if extras.payload then
    redis.call('HSET', payloads, number, extras.payload)
  elseif has(flags_of(record), flag_payload_apart) and not has(flags_of(head), flag_payload_apart) then
    redis.call('HDEL', payloads, number)
  end
  if extras.detail == '' then redis.call('HDEL', detail, number) end
  if extras.detail and extras.detail ~= '' then redis.call('HSET', detail, number, extras.detail) end
  if from ~= to then redis.call('ZREM', from, number) end
  if after == queued_status then
    if from ~= to or before ~= after then
      add_to_line(line, { time - priority_of(head) * aging, number }, type_of(head))
    end
  elseif after == processing_status then
    local till = tonumber(redis.call('ZSCORE', processing, number) or engine)
    if extras.lease then till = engine + tonumber(extras.lease) end
    if extras.cap then till = math.min(till, tonumber(extras.cap)) end
    if extras.patience then till = math.min(till, engine + tonumber(extras.patience)) end
    redis.call('ZADD', processing, till, number)
  elseif after == failed_status then
    if before ~= after then redis.call('ZADD', dead_letter, wall, number) end
    if time > 0 then redis.call('ZADD', finished, time, number) end
  else
    redis.call('ZADD', to, time, number)
  end
  if before == failed_status and after ~= before then redis.call('ZREM', finished, number) end
  if before == processing_status and after ~= before then
    redis.call('HINCRBY', leases, worker_of(record), -1)
    redis.call('HDEL', stops, number)
  end
  if extras.stop then
    redis.call('HSET', stops, number, struct.pack('>I4I8', worker_of(record), fence_of(record)) .. extras.stop)
    redis.call('PUBLISH', channel, 'stop ' .. worker_of(record) .. ' ' .. queue)
  end
  local look = extras.look_at and tonumber(extras.look_at)
  if extras.look_after then look = math.min(look or math.huge, time + tonumber(extras.look_after)) end
  if look and look > 0 then
    redis.call('ZADD', expiring, look, number)
  elseif look then
    redis.call('ZREM', expiring, number)
  elseif after >= completed_status and before < completed_status then
    redis.call('ZREM', expiring, number)
  end
  if extras.outbox == '-1' then redis.call('ZREM', outbox, number) end
  if extras.outbox and extras.outbox ~= '-1' then redis.call('ZADD', outbox, engine + tonumber(extras.outbox), number) end
  if before ~= after then
    count(before, -1)
    count(after, 1)
    if after == completed_status then count_other('completed', 1) end
    if after == failed_status then count_other('failed', 1) end
    if after >= completed_status and has(marks_of(record), mark_watched) then
      redis.call('PUBLISH', channel, 'final ' .. number .. ' ' .. queue)
    end
  end
  local bytes_before = unfinished(before) and payload_size_of(record) or 0
  local bytes_after = unfinished(after) and payload_size_of(head) or 0
  count_other('bytes', bytes_after - bytes_before)
  transitions = transitions + 1
end
for _, task in ipairs(work) do
  local number, record, head, line, from, extras = unpack(task, 1, 6)
  if head == '' then
    remove(number, record, status_of(record) == queued_status and from or nil)
  else
    replace(number, record, head, line, from, extras)
  end
  for name in string.gmatch(extras.count or '', '%a+') do count_other(name, 1) end
end
if #work > 0 then write_counts() end
return { wall, engine, answers }
