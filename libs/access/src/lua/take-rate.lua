-- Takes points from a rate limit, all of them or none. The window begins when the first points are taken.
-- KEYS: string with the points taken in the window; expires with the window
-- ARGV: points, limit, length of a window in ms
-- Result: 1 if the points were taken, else 0; points taken in the window now; ms until the window ends
local points, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1]) or 0)
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
  used, left = 0, tonumber(ARGV[3])
end
if used + points > limit then
  return { 0, used, left }
end
used = used + points
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', left)
return { 1, used, left }
