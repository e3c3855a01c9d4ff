-- Puts tasks into the state that C++ has judged, each if nobody changed it meanwhile.
--   ARGV  how much waiting time one step of priority is worth, in ms · then for each task: the index of its line, from 0 ·
--         its number · the revision that was judged · the new head, whose revision is filled in here · its `at`: `+` and ms
--         from now in engine time, `=` and a time, or `.` to keep it · 1 if the attempt or the task ends now · the end of its
--         lease, if it is renewed, in ms from now
--   returns  wall time · engine time · for each task: 1 (done), 0 and its record (it is another one), or -1 (it is gone)
local aging = tonumber(ARGV[1])
local answers, work, seen = {}, {}, {}
for i = 2, #ARGV, 7 do
  local number, revision, head, at = ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3], ARGV[i + 4]
  local record = redis.call('HGET', metadata, number)
  if not record then
    answers[#answers + 1] = { -1 }
  elseif revision_of(record) ~= revision or seen[number] then
    answers[#answers + 1] = { 0, record }
  else
    seen[number] = true
    local before, after = status_of(record), status_of(head)
    local mark = string.sub(at, 1, 1)
    local time = mark == '.' and at_of(record) or tonumber(string.sub(at, 2))
    if mark == '+' then time = engine + time end
    head = patched(head, 11, struct.pack('>I4', revision + 1))
    head = patched(head, 21, struct.pack('>I6', time))
    if ARGV[i + 5] == '1' and #head == long_size then head = patched(head, 55, struct.pack('>I6', wall)) end
    work[#work + 1] = { number, head .. string.sub(record, head_size(record) + 1), before, after,
      KEYS[first_line + tonumber(ARGV[i])], time, tonumber(ARGV[i + 6]) }
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
for _, task in ipairs(work) do
  local number, record, before, after, line, time, lease = unpack(task, 1, 7)
  local from, to = index_of(before, line), index_of(after, line)
  local score = time
  if after == queued_status then score = time - priority_of(record) * aging end
  if after == failed_status then score = wall end
  if after == processing_status then score = lease and engine + lease or nil end
  redis.call('HSET', metadata, number, record)
  if from ~= to then redis.call('ZREM', from, number) end
  if score then redis.call('ZADD', to, score, number) end
  if before ~= after then
    count(before, -1)
    count(after, 1)
    if after == completed_status then redis.call('HINCRBY', counters, 'completed', 1) end
    if after == failed_status then redis.call('HINCRBY', counters, 'failed', 1) end
  end
end
if #work > 0 then write_counts() end
return { wall, engine, answers }
