-- Tags of the new tasks of one API key, by self-clocked fair queueing (S. J. Golestani, INFOCOM 1994): a task's tag is where
-- its key's work, laid end to end from the present on, will have come to. Tags are BullMQ priorities, least first, so
-- that keys take turns by cost however much each has waiting.
-- KEYS: hash API key id -> last tag, the queue's sorted set of waiting tasks with a priority
-- ARGV: key, greatest tag, beginning of the keys of the queue's tasks, cost of each new task
local STEP = 4294967296 -- BullMQ: score = priority * 2^32 + counter
local key, greatest = ARGV[1], tonumber(ARGV[2])

-- The present is the tag of the task whose turn comes next. When nothing waits, nobody has had more than others.
local head = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local now = 0
if #head == 0 then
  redis.call('DEL', KEYS[1])
else
  now = math.floor(tonumber(head[2]) / STEP)
end

local last = math.max(now, tonumber(redis.call('HGET', KEYS[1], key) or 0))
local total = 0
for n = 4, #ARGV do
  total = total + tonumber(ARGV[n])
end

-- Tags only grow while something waits. Before they reach the end, all move down to where the present is 1; but only by a
-- good part of the way, since all that wait are touched, and that is not to be done at every call.
if last + total > greatest and now > greatest / 8 then
  local shift = now - 1
  local waiting = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
  for n = 1, #waiting, 2 do
    local score = tonumber(waiting[n + 1]) - shift * STEP
    redis.call('ZADD', KEYS[2], string.format('%.0f', score), waiting[n])
    redis.call('HSET', ARGV[3] .. waiting[n], 'priority', string.format('%.0f', math.floor(score / STEP)))
  end
  local keys = redis.call('HGETALL', KEYS[1])
  for n = 1, #keys, 2 do
    redis.call('HSET', KEYS[1], keys[n], string.format('%.0f', math.max(0, tonumber(keys[n + 1]) - shift)))
  end
  last = last - shift
end

local tags = {}
for n = 4, #ARGV do
  -- At the very end tasks are first come, first served.
  last = math.min(greatest, last + tonumber(ARGV[n]))
  tags[#tags + 1] = last
end
redis.call('HSET', KEYS[1], key, string.format('%.0f', last))
redis.call('EXPIRE', KEYS[1], 86400)
return tags
