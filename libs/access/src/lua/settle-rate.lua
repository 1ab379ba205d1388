-- Makes right what was taken by an estimate. A window that has ended stays as it is.
-- KEYS: the string of take-rate.lua
-- ARGV: points to add, or with a minus to give back
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
  return
end
local used = math.max(0, tonumber(redis.call('GET', KEYS[1])) + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', left)
