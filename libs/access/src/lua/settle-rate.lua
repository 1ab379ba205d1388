-- Corrects points that were taken by an estimate. Does nothing if the window has ended.
-- KEYS: string with the points taken in the window, see take-rate.lua
-- ARGV: points to add; negative to give back
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
  return
end
local used = math.max(0, tonumber(redis.call('GET', KEYS[1])) + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', left)
