-- Gives the tasks that come first in these lines to a worker.
--   ARGV  how many at most · bytes of their records together, at least one is given · length of the lease in ms · the
--         worker's number
--   returns  wall time · engine time · numbers and records of what was given, one after the other · numbers of tasks that
--            were met past their `expires_at`; they stay where they are
local want, bytes_max, lease, worker = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if redis.call('HGET', state, 'paused') then return { wall, engine, {}, {} } end

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

local given, expired, bytes = {}, {}, 0
local lines = { unpack(heads) }
while #given < 2 * want and #heads > 0 do
  local best = 1
  for i = 2, #heads do
    if before(heads[i], heads[best]) then best = i end
  end
  local head = heads[best]
  local number = head.entries[head.next]
  local record = redis.call('HGET', metadata, number)
  if not record then return redis.error_reply('CORRUPT ' .. head.line .. ' names a task without a record') end
  local expires = expires_of(record)
  if expires ~= 0 and expires <= wall then
    expired[#expired + 1] = number
  else
    local alone = has(flags_of(record), flag_alone)
    if #given > 0 and (alone or bytes + #record > bytes_max) then break end
    bytes = bytes + #record
    given[#given + 1], given[#given + 2] = number, record
    head.taken[#head.taken + 1] = number
    if alone then break end
  end
  if not advance(head) then table.remove(heads, best) end
  if #expired >= 100 then break end
end
if #given == 0 then return { wall, engine, {}, expired } end

-- From here on nothing can fail.
local fence = math.max(tonumber(redis.call('HGET', state, 'fence') or 0) + 1, wall * 1000)
local leases = {}
for i = 1, #given, 2 do
  local record = given[i + 1]
  local flags = flags_of(record)
  local attempt = has(flags, flag_has_attempt) and string.sub(record, short_size + 1, long_size) or string.rep('\0', 36)
  local content = string.sub(record, head_size(record) + 1)
  flags = flag_has_attempt + (has(flags, flag_alone) and flag_granted_alone or 0)
  local head = patched(string.sub(record, 1, short_size), 2, string.char(processing_status, flags))
  head = patched(head, 11, struct.pack('>I4', revision_of(record) + 1))
  attempt = string.sub(attempt, 1, 7) .. '\1' .. struct.pack('>I4', struct.unpack('>I4', attempt, 9) + 1)
    .. struct.pack('>I4I6I6', worker, wall, 0) .. struct.pack('>I8', fence)
  given[i + 1] = head .. attempt .. content
  leases[i], leases[i + 1] = engine + lease, given[i]
  fence = fence + 1
end
redis.call('HSET', metadata, unpack(given))
redis.call('ZADD', processing, unpack(leases))
for _, head in ipairs(lines) do
  if #head.taken > 0 then redis.call('ZREM', head.line, unpack(head.taken)) end
end
redis.call('HSET', state, 'fence', fence - 1)
count(queued_status, -#given / 2)
count(processing_status, #given / 2)
write_counts()
return { wall, engine, given, expired }
