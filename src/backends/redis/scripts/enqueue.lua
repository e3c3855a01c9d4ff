-- Accepts tasks.
--   ARGV  how much waiting time one step of priority is worth, in ms · then for each task: the index of its line, from 0 ·
--         how long it waits before it is ready, in ms, or `=` and the wall time it waits for · its record, whose times are
--         filled in here
--   returns  wall time · the number of the first task; the others follow without gaps
local aging = tonumber(ARGV[1])
local number = tonumber(redis.call('HGET', state, 'next') or 1)
local first = number
local records, waiting, ready = {}, {}, {}
for i = 2, #ARGV, 3 do
  local line, wait, record = KEYS[first_line + tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
  local member = struct.pack('>I6', number)
  local on_wall = string.sub(wait, 1, 1) == '='
  local at = on_wall and tonumber(string.sub(wait, 2)) or engine + tonumber(wait)
  local later = at > (on_wall and wall or engine)
  if not later then at = engine end
  local flags = flags_of(record) + (later and on_wall and flag_due_on_wall or 0)
  record = patched(record, 2, string.char(later and scheduled_status or queued_status, flags))
  record = patched(record, 15, struct.pack('>I6I6', wall, at))
  records[#records + 1], records[#records + 2] = member, record
  if later then
    waiting[#waiting + 1], waiting[#waiting + 2] = at, member
  else
    local entries = ready[line] or {}
    entries[#entries + 1], entries[#entries + 2] = at - priority_of(record) * aging, member
    ready[line] = entries
  end
  count(later and scheduled_status or queued_status, 1)
  number = number + 1
end
redis.call('HSET', metadata, unpack(records))
if #waiting > 0 then redis.call('ZADD', retry, unpack(waiting)) end
for line, entries in pairs(ready) do redis.call('ZADD', line, unpack(entries)) end
redis.call('HSET', state, 'next', number)
redis.call('HINCRBY', counters, 'enqueued', number - first)
write_counts()
return { wall, first }
