-- Moves tasks whose wait is over into their lines, and names the leases that have ended, for C++ to judge.
--   ARGV  how many of each at most · how much waiting time one step of priority is worth, in ms · the numbers of the task
--         types whose lines are given, in the order of the lines
--   returns  engine time · how many became ready · numbers and records of leases that ended, one after the other · the time
--            of the next thing that falls due, 0 if there is none · 1 if there may be more at once
local most, aging = tonumber(ARGV[1]), tonumber(ARGV[2])
local lines = {}
for i = 3, #ARGV do lines[tonumber(ARGV[i])] = KEYS[first_line + i - 3] end

local records, members, ready, moved, more = {}, {}, {}, 0, 0
local due = redis.call('ZRANGEBYSCORE', retry, '-inf', engine, 'LIMIT', 0, most)
if #due == most then more = 1 end
for _, number in ipairs(due) do
  local record = redis.call('HGET', metadata, number)
  local line = record and lines[(struct.unpack('>I2', record, 5))]
  local at = record and at_of(record)
  -- A line that was not given belongs to a type that the caller does not know yet. A `run_at` waits for the wall clock.
  if line and (not has(flags_of(record), flag_due_on_wall) or at <= wall) then
    local status = status_of(record)
    record = patched(record, 2, string.char(queued_status, flags_of(record) - (has(flags_of(record), flag_due_on_wall) and flag_due_on_wall or 0)))
    record = patched(record, 11, struct.pack('>I4', revision_of(record) + 1))
    records[#records + 1], records[#records + 2] = number, record
    members[#members + 1] = number
    local entries = ready[line] or {}
    entries[#entries + 1], entries[#entries + 2] = at - priority_of(record) * aging, number
    ready[line] = entries
    count(status, -1)
    count(queued_status, 1)
    moved = moved + 1
  end
end
local ended = redis.call('ZRANGEBYSCORE', processing, '-inf', engine, 'LIMIT', 0, most)
if #ended == most then more = 1 end
local lost = {}
for _, number in ipairs(ended) do
  local record = redis.call('HGET', metadata, number)
  if record then lost[#lost + 1], lost[#lost + 2] = number, record end
end

-- From here on nothing can fail.
if moved > 0 then
  redis.call('HSET', metadata, unpack(records))
  redis.call('ZREM', retry, unpack(members))
  for line, entries in pairs(ready) do redis.call('ZADD', line, unpack(entries)) end
  write_counts()
end
local next_due = 0
for _, key in ipairs({ retry, processing }) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] and (next_due == 0 or tonumber(first[2]) < next_due) then next_due = tonumber(first[2]) end
end
return { engine, moved, lost, next_due, more }
