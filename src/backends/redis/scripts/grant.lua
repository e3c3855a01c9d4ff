-- Gives the tasks that come first in these lines to a worker.
--   ARGV  channel · how many at most · bytes of their records and payloads together, at least one is given · length of the
--         lease in ms · the worker's number · the id of its request, or nothing · the highest rank to give, or nothing · 1 if
--         its call has got tasks of other queues already
--   returns  wall time · engine time · numbers, records, payloads that are kept apart and ends of lease of what was given,
--            one after the other · numbers of tasks that were met past their `expires_at`; they stay where they are · the
--            rank of the next one in these lines, or nothing · 1 if the request was answered before, and this is what it got
--            and still holds
local want, bytes_max, lease, worker, request = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]),
  tonumber(ARGV[5]), ARGV[6]
local rank_max, has_others = tonumber(ARGV[7]), ARGV[8] == '1'

local function payload_of(number, record)
  if not has(flags_of(record), flag_payload_apart) then return '' end
  return redis.call('HGET', payloads, number) or ''
end

local earlier = request ~= '' and redis.call('HGET', requests, worker)
if earlier and string.sub(earlier, 2, 1 + string.byte(earlier, 1)) == request then
  local again = {}
  for at = 2 + string.byte(earlier, 1), #earlier, 14 do
    local number, fence = string.sub(earlier, at, at + 5), (struct.unpack('>I8', earlier, at + 6))
    local record = redis.call('HGET', metadata, number)
    if record and status_of(record) == processing_status and fence_of(record) == fence then
      local ends = redis.call('ZSCORE', processing, number)
      for _, part in ipairs({ number, record, payload_of(number, record), ends or '0' }) do again[#again + 1] = part end
    end
  end
  return { wall, engine, again, {}, '', 1 }
end
if redis.call('HGET', state, 'paused') then return { wall, engine, {}, {}, '', 0 } end

-- The lines' heads, a few at a time, merged by rank and then by number, the order of acceptance.
local portion = 32
local heads = {}
local function advance(head)
  head.next = head.next + 2
  if head.next <= #head.entries then return true end
  if #head.entries > 0 and #head.entries < 2 * portion then return false end
  head.entries = redis.call('ZRANGE', head.line, head.from, head.from + portion - 1, 'WITHSCORES')
  head.from, head.next = head.from + portion, 1
  return #head.entries > 0
end
for at = first_line, #KEYS do
  local head = { line = KEYS[at], entries = {}, from = 0, next = -1, taken = {} }
  if advance(head) then heads[#heads + 1] = head end
end
local function before(a, b)
  local x, y = tonumber(a.entries[a.next + 1]), tonumber(b.entries[b.next + 1])
  if x ~= y then return x < y end
  return a.entries[a.next] < b.entries[b.next]
end

local given, expired, bytes, next_rank = {}, {}, 0, ''
local lines = { unpack(heads) }
while #heads > 0 do
  local best = 1
  for i = 2, #heads do
    if before(heads[i], heads[best]) then best = i end
  end
  local head = heads[best]
  local number = head.entries[head.next]
  next_rank = head.entries[head.next + 1]
  if #given >= want or #expired >= 100 or (rank_max and tonumber(next_rank) > rank_max) then break end
  local record = redis.call('HGET', metadata, number)
  if not record then return redis.error_reply('CORRUPT ' .. head.line .. ' names a task without a record') end
  local expires = expires_of(record)
  if expires ~= 0 and expires <= wall then
    expired[#expired + 1] = number
  else
    local alone = has(flags_of(record), flag_alone)
    local size = #record + (has(flags_of(record), flag_payload_apart) and payload_size_of(record) or 0)
    if (#given > 0 or has_others) and (alone or bytes + size > bytes_max) then break end
    bytes = bytes + size
    given[#given + 1] = { number, record }
    head.taken[#head.taken + 1] = number
    if alone then want = 1 end
  end
  if not advance(head) then table.remove(heads, best) end
  next_rank = ''
end
if #given == 0 then return { wall, engine, {}, expired, next_rank, 0 } end

-- From here on nothing can fail.
local fence = math.max(tonumber(redis.call('HGET', state, 'fence') or 0) + 1, wall * 1000)
local records, ends, answer, remembered = {}, {}, {}, {}
for i, task in ipairs(given) do
  local number, record = task[1], task[2]
  local flags = flags_of(record)
  local attempt = has(flags, flag_has_attempt) and string.sub(record, short_size + 1, long_size) or string.rep('\0', 40)
  local content = string.sub(record, head_size(record) + 1)
  flags = flag_has_attempt + (has(flags, flag_alone) and flag_granted_alone or 0)
    + (has(flags, flag_payload_apart) and flag_payload_apart or 0)
  local head = patched(string.sub(record, 1, short_size), 2, string.char(processing_status, flags))
  head = patched(head, 11, struct.pack('>I4', revision_of(record) + 1))
  attempt = string.sub(attempt, 1, 7) .. '\1' .. struct.pack('>I4', struct.unpack('>I4', attempt, 9) + 1)
    .. struct.pack('>I4I6I6', worker, wall, 0) .. struct.pack('>I8I4', fence, lease)
  local timeout = timeout_of(record)
  local till = engine + (timeout > 0 and math.min(timeout, lease) or lease)
  local whole = head .. attempt .. content
  records[2 * i - 1], records[2 * i] = number, whole
  ends[2 * i - 1], ends[2 * i] = till, number
  for _, part in ipairs({ number, whole, payload_of(number, record), tostring(engine + lease) }) do answer[#answer + 1] = part end
  remembered[i] = number .. struct.pack('>I8', fence)
  fence = fence + 1
end
redis.call('HSET', metadata, unpack(records))
redis.call('ZADD', processing, unpack(ends))
for _, head in ipairs(lines) do
  if #head.taken > 0 then redis.call('ZREM', head.line, unpack(head.taken)) end
end
redis.call('HSET', state, 'fence', string.format('%.0f', fence - 1))
redis.call('HINCRBY', leases, worker, #given)
if request ~= '' then
  redis.call('HSET', requests, worker, string.char(#request) .. request .. table.concat(remembered))
end
count(queued_status, -#given)
count(processing_status, #given)
transitions = #given
write_counts()
return { wall, engine, answer, expired, next_rank, 0 }
