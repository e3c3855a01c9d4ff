-- Numbers names, from 1, each once and for ever.
--   KEYS  the hash that keeps them
--   ARGV  how many there may be · the names
--   returns  for each: its number, or 0 if there are too many
local numbers, known = {}, redis.call('HLEN', KEYS[1])
for i = 2, #ARGV do
  local number = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or 0)
  if number == 0 and known < tonumber(ARGV[1]) then
    known = known + 1
    number = known
    redis.call('HSET', KEYS[1], ARGV[i], number)
  end
  numbers[#numbers + 1] = number
end
return numbers
