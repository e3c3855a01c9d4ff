-- Changes what a name holds, if it is what the caller has seen.
--   KEYS  the name's key
--   ARGV  what was seen · what it shall hold, empty = nothing · for how long, in ms, 0 = for ever
--   returns  1 if it was changed
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
