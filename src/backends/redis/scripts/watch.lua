-- Marks an unfinished task, so that its end is told at once.
--   KEYS  the queue's records
--   ARGV  its number
local record = redis.call('HGET', KEYS[1], ARGV[1])
if record and string.byte(record, 2) < 5 then
  local marks = bit.bor(string.byte(record, 33), 2)
  redis.call('HSET', KEYS[1], ARGV[1], string.sub(record, 1, 32) .. string.char(marks) .. string.sub(record, 34))
end
return record
