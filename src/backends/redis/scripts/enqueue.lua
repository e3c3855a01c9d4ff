-- Accepts tasks.
--   ARGV  channel · how much waiting time one step of priority is worth, in ms · the most unfinished tasks, and the most
--         bytes of them, that the queue may hold, 0 = any · 1 if it is all or nothing · then for each task: the index of its
--         line, from 0 · how long it waits before it is ready, in ms, or `=` and the wall time it waits for · its record,
--         whose times are filled in here · further words: `number`, reserved before; `payload`, to be kept apart;
--         `look_at`, when it has to be looked at; `look_after`, the same in ms after it is ready; `key`, the place of its idempotency
--         key in KEYS after the lines, and `held`, what that holds from now on, after its number: a fingerprint first
--   returns  wall time · for each task: 0 and its number and status, 1 and what its key holds, 2 (the queue is full of
--            tasks) and how many, 3 (of bytes) and how many, or 4 and the record that has its number already
local aging, tasks_max, bytes_max, atomic = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local next_number = tonumber(redis.call('HGET', state, 'next') or 1)
local unfinished_counts = redis.call('HMGET', counters, scheduled_status, queued_status, processing_status, retrying_status,
  'bytes')
local tasks, bytes = 0, tonumber(unfinished_counts[5] or 0)
for i = 1, 4 do tasks = tasks + tonumber(unfinished_counts[i] or 0) end

local answers, records, new_records, apart, waiting, ready, examined, held, refused = {}, {}, {}, {}, {}, {}, {}, {}, false
local next_at = 6
local accepted = 0
while next_at <= #ARGV do
  local line_index, wait, record = tonumber(ARGV[next_at]), ARGV[next_at + 1], ARGV[next_at + 2]
  local extras
  extras, next_at = read_extras(next_at + 3)
  local member = extras.number or struct.pack('>I6', next_number)
  local key = extras.key and KEYS[tonumber(extras.key)]
  local holds = key and (held[key] or redis.call('GET', key))
  local exists = extras.number and (records[member] or redis.call('HGET', metadata, member))
  local size = payload_size_of(record)
  if exists then
    answers[#answers + 1] = { 4, exists }
  elseif holds then
    answers[#answers + 1] = { 1, holds }
    if string.sub(holds, 7, 22) ~= string.sub(extras.held, 1, 16) then refused = true end
  elseif tasks_max > 0 and tasks >= tasks_max then
    answers[#answers + 1] = { 2, tasks }
    refused = true
  elseif bytes_max > 0 and bytes + size > bytes_max then
    answers[#answers + 1] = { 3, bytes }
    refused = true
  else
    if not extras.number then next_number = next_number + 1 end
    tasks, bytes, accepted = tasks + 1, bytes + size, accepted + 1
    local on_wall = string.sub(wait, 1, 1) == '='
    local at = on_wall and tonumber(string.sub(wait, 2)) or engine + tonumber(wait)
    local later = at > (on_wall and wall or engine)
    if not later then at = engine end
    local flags = flags_of(record) + (later and on_wall and flag_due_on_wall or 0)
    record = patched(record, 2, string.char(later and scheduled_status or queued_status, flags))
    record = patched(record, 15, struct.pack('>I6I6', wall, at))
    if extras.number then records[member] = record end
    new_records[#new_records + 1], new_records[#new_records + 2] = member, record
    if extras.payload then apart[#apart + 1], apart[#apart + 2] = member, extras.payload end
    if key then held[key] = member .. extras.held end
    local look = tonumber(extras.look_at or math.huge)
    if extras.look_after then look = math.min(look, at + tonumber(extras.look_after)) end
    if look < math.huge then examined[#examined + 1], examined[#examined + 2] = look, member end
    if later then
      waiting[#waiting + 1], waiting[#waiting + 2] = at, member
    else
      local line = KEYS[first_line + line_index]
      local entries = ready[line] or { type = type_of(record) }
      entries[#entries + 1], entries[#entries + 2] = at - priority_of(record) * aging, member
      ready[line] = entries
    end
    count(later and scheduled_status or queued_status, 1)
    answers[#answers + 1] = { 0, member, later and scheduled_status or queued_status }
  end
end
if accepted == 0 or (atomic and refused) then return { wall, answers } end

-- From here on nothing can fail.
redis.call('HSET', metadata, unpack(new_records))
if #apart > 0 then redis.call('HSET', payloads, unpack(apart)) end
for key, value in pairs(held) do redis.call('SET', key, value) end
if #examined > 0 then redis.call('ZADD', expiring, unpack(examined)) end
if #waiting > 0 then redis.call('ZADD', retry, unpack(waiting)) end
for line, entries in pairs(ready) do add_to_line(line, entries, entries.type) end
redis.call('HSET', state, 'next', next_number)
count_other('enqueued', accepted)
other_changes.bytes = bytes - tonumber(unfinished_counts[5] or 0)
transitions = accepted
write_counts()
return { wall, answers }
