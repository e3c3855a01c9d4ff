-- Before every script: where a queue's parts are, what time it is, and how a record begins (src/backends/redis/head.hpp).
local metadata, processing, retry, finished, dead_letter, state, counters = unpack(KEYS, 1, 7)
local first_line = 8 -- KEYS from here: the lines, `<queue>:pending:<type>`

local scheduled_status, queued_status, processing_status, retrying_status = 1, 2, 3, 4
local completed_status, failed_status, cancelled_status, expired_status = 5, 6, 7, 8
local flag_alone, flag_granted_alone, flag_due_on_wall, flag_has_attempt = 4, 8, 16, 32
local short_size, long_size = 32, 68

local clock = redis.call('TIME')
local wall = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
-- Never backwards, also not at a primary whose clock is behind that of the one before.
local engine = math.max(wall, tonumber(redis.call('HGET', state, 'engine') or 0))

-- Reads that fail now, before anything is written, if a key holds another type than ours.
for _, key in ipairs({ processing, retry, finished, dead_letter }) do redis.call('ZCARD', key) end
for at = first_line, #KEYS do redis.call('ZCARD', KEYS[at]) end
for _, key in ipairs({ metadata, counters }) do redis.call('HLEN', key) end

local function status_of(record) return string.byte(record, 2) end
local function flags_of(record) return string.byte(record, 3) end
local function priority_of(record)
  local byte = string.byte(record, 4)
  return byte < 128 and byte or byte - 256
end
local function revision_of(record) return (struct.unpack('>I4', record, 11)) end
local function at_of(record) return (struct.unpack('>I6', record, 21)) end
local function expires_of(record) return (struct.unpack('>I6', record, 27)) end
local function has(flags, flag) return bit.band(flags, flag) ~= 0 end
local function head_size(record) return has(flags_of(record), flag_has_attempt) and long_size or short_size end

-- `record` with the bytes from `place` (1 = the first) replaced by `bytes`.
local function patched(record, place, bytes)
  return string.sub(record, 1, place - 1) .. bytes .. string.sub(record, place + #bytes)
end

local changes = {}
local function count(status, by) changes[status] = (changes[status] or 0) + by end
local function write_counts()
  for status, by in pairs(changes) do
    if by ~= 0 then redis.call('HINCRBY', counters, status, by) end
  end
  redis.call('HSET', state, 'engine', engine)
end
