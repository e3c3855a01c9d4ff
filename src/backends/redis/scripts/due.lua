-- Moves tasks whose wait is over into their lines, removes what was kept long enough, and names for C++ to judge: leases
-- that ended, tasks that have to be looked at, named tasks that were kept long enough, and children that were not sent.
--   ARGV  channel · how many of each at most · how much waiting time one step of priority is worth, in ms · the numbers of
--         the task types whose lines are given, in the order of the lines
--   returns  wall time · engine time · how many became ready · for each that is to be judged, its number, record, detail and
--            why (`lease`, `look`, `send`, `remove`), one after the other · the time of the next thing that falls due, 0 if there is none · 1 if there may be more
--            at once
local most, aging = tonumber(ARGV[2]), tonumber(ARGV[3])
local lines = {}
for i = 4, #ARGV do lines[tonumber(ARGV[i])] = KEYS[first_line + i - 4] end

local records, members, ready, gone, judged, seen, moved, more = {}, {}, {}, {}, {}, {}, 0, 0
local function name(why)
  return function(number, record)
    if seen[number] then return end
    seen[number] = true
    for _, part in ipairs({ number, record, redis.call('HGET', detail, number) or '', why }) do judged[#judged + 1] = part end
  end
end
local function each(key, till, visit)
  local numbers = redis.call('ZRANGEBYSCORE', key, '-inf', till, 'LIMIT', 0, most)
  if #numbers == most then more = 1 end
  for _, number in ipairs(numbers) do
    local record = redis.call('HGET', metadata, number)
    if record then visit(number, record) end
  end
end
each(processing, engine, name('lease'))
each(expiring, engine, name('look'))
each(outbox, engine, name('send'))
each(finished, engine, function(number, record)
  if has(marks_of(record), mark_named) then name('remove')(number, record) else gone[#gone + 1] = { number, record } end
end)
each(retry, engine, function(number, record)
  local line = lines[type_of(record)]
  local at = at_of(record)
  -- A line that was not given belongs to a type that the caller does not know yet. A `run_at` waits for the wall clock.
  if seen[number] or not line or (has(flags_of(record), flag_due_on_wall) and at > wall) then return end
  local status, flags = status_of(record), flags_of(record)
  record = patched(record, 2, string.char(queued_status, flags - (has(flags, flag_due_on_wall) and flag_due_on_wall or 0)))
  record = patched(record, 11, struct.pack('>I4', revision_of(record) + 1))
  records[#records + 1], records[#records + 2] = number, record
  members[#members + 1] = number
  local entries = ready[line] or { type = type_of(record) }
  entries[#entries + 1], entries[#entries + 2] = at - priority_of(record) * aging, number
  ready[line] = entries
  count(status, -1)
  count(queued_status, 1)
  moved = moved + 1
end)

-- From here on nothing can fail.
if moved > 0 then
  redis.call('HSET', metadata, unpack(records))
  redis.call('ZREM', retry, unpack(members))
  for line, entries in pairs(ready) do add_to_line(line, entries, entries.type) end
end
for _, task in ipairs(gone) do remove(task[1], task[2], nil) end
transitions = transitions + moved
if moved + #gone > 0 then write_counts() end
local next_due = 0
for _, key in ipairs({ retry, processing, finished, expiring, outbox }) do
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  if first[2] and (next_due == 0 or tonumber(first[2]) < next_due) then next_due = tonumber(first[2]) end
end
return { wall, engine, moved, judged, next_due, more }
