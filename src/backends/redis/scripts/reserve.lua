-- Takes task ids, each if nobody has it.
--   KEYS  the ids' keys
--   ARGV  for each: what it shall hold, after the wall time
--   returns  wall time · for each: what it holds already, or nothing
local clock = redis.call('TIME')
local wall = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local answers = {}
for _, key in ipairs(KEYS) do redis.call('GET', key) end -- fails now if one holds another type than ours
for i, key in ipairs(KEYS) do
  answers[i] = redis.call('GET', key) or '' -- a key may be given twice
  if answers[i] == '' then redis.call('SET', key, struct.pack('>I6', wall) .. ARGV[i]) end
end
return { wall, answers }
