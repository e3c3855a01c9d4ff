-- Before every script of a queue: where its parts are, what time it is, and how a record begins
-- (src/backends/redis/head.hpp). ARGV[1] is always the channel for what gateways should know at once.
local metadata, processing, retry, finished, dead_letter, state, counters, detail, payloads, expiring, stops, leases,
  outbox, requests = unpack(KEYS, 1, 14)
local first_line = 15 -- KEYS from here: the lines, `<queue>:pending:<type>`
local channel = ARGV[1]
local queue = string.sub(metadata, 1, -10)

local scheduled_status, queued_status, processing_status, retrying_status = 1, 2, 3, 4
local completed_status, failed_status, cancelled_status, expired_status = 5, 6, 7, 8
local flag_alone, flag_granted_alone, flag_due_on_wall, flag_has_attempt, flag_payload_apart = 4, 8, 16, 32, 128
local mark_watched, mark_named = 2, 8 -- in the second byte of flags
local short_size, long_size = 41, 81

local clock = redis.call('TIME')
local wall = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
-- Never backwards, also not at a primary whose clock is behind that of the one before.
local engine = math.max(wall, tonumber(redis.call('HGET', state, 'engine') or 0))

-- Reads that fail now, before anything is written, if a key holds another type than ours.
for _, key in ipairs({ processing, retry, finished, dead_letter, expiring, outbox }) do redis.call('ZCARD', key) end
for at = first_line, #KEYS do
  if string.find(KEYS[at], ':pending:', 1, true) then redis.call('ZCARD', KEYS[at]) end
end
for _, key in ipairs({ metadata, counters, detail, payloads, stops, leases, requests }) do redis.call('HLEN', key) end

local function status_of(record) return string.byte(record, 2) end
local function flags_of(record) return string.byte(record, 3) end
local function priority_of(record)
  local byte = string.byte(record, 4)
  return byte < 128 and byte or byte - 256
end
local function type_of(record) return (struct.unpack('>I2', record, 5)) end
local function revision_of(record) return (struct.unpack('>I4', record, 11)) end
local function at_of(record) return (struct.unpack('>I6', record, 21)) end
local function expires_of(record) return (struct.unpack('>I6', record, 27)) end
local function marks_of(record) return string.byte(record, 33) end
local function payload_size_of(record) return (struct.unpack('>I4', record, 34)) end
local function timeout_of(record) return (struct.unpack('>I4', record, 38)) end
local function worker_of(record) return (struct.unpack('>I4', record, 54)) end
local function fence_of(record) return (struct.unpack('>I8', record, 70)) end
local function has(flags, flag) return bit.band(flags, flag) ~= 0 end
local function head_size(record) return has(flags_of(record), flag_has_attempt) and long_size or short_size end
local function unfinished(status) return status < completed_status end

-- `record` with the bytes from `place` (1 = the first) replaced by `bytes`.
local function patched(record, place, bytes)
  return string.sub(record, 1, place - 1) .. bytes .. string.sub(record, place + #bytes)
end

local changes, other_changes, transitions = {}, {}, 0
local function count(status, by) changes[status] = (changes[status] or 0) + by end
local function count_other(name, by) other_changes[name] = (other_changes[name] or 0) + by end
local function write_counts()
  for status, by in pairs(changes) do
    if by ~= 0 then redis.call('HINCRBY', counters, status, by) end
  end
  for name, by in pairs(other_changes) do
    if by ~= 0 then redis.call('HINCRBY', counters, name, by) end
  end
  if transitions > 0 then redis.call('HINCRBY', counters, 'events', transitions) end
  redis.call('HSET', state, 'engine', engine)
end

-- Adds `entries`, scores and numbers in turn, to a line; tells gateways if it was empty, for then they may sleep.
local function add_to_line(line, entries, type)
  if redis.call('ZCARD', line) == 0 then redis.call('PUBLISH', channel, 'ready ' .. type .. ' ' .. queue) end
  redis.call('ZADD', line, unpack(entries))
end

-- Removes records that are not running, with all that belongs to them but their names.
local function remove(number, record, line)
  local status = status_of(record)
  redis.call('HDEL', metadata, number)
  redis.call('HDEL', detail, number)
  redis.call('HDEL', stops, number)
  if has(flags_of(record), flag_payload_apart) then redis.call('HDEL', payloads, number) end
  if line then redis.call('ZREM', line, number) end
  for _, key in ipairs({ retry, finished, dead_letter, expiring, outbox }) do redis.call('ZREM', key, number) end
  if has(marks_of(record), mark_watched) then redis.call('PUBLISH', channel, 'final ' .. number .. ' ' .. queue) end
  count(status, -1)
  if unfinished(status) then count_other('bytes', -payload_size_of(record)) end
  transitions = transitions + 1
end

-- The further words of an item: how many pairs, then names and values. Returns them and where the next item begins.
local function read_extras(at)
  local extras = {}
  local pairs_left = tonumber(ARGV[at])
  at = at + 1
  while pairs_left > 0 do
    extras[ARGV[at]] = ARGV[at + 1]
    at, pairs_left = at + 2, pairs_left - 1
  end
  return extras, at
end
