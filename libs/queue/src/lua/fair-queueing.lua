-- Computes tags for new tasks of one API key by self-clocked fair queueing (S. J. Golestani, INFOCOM 1994): a task's
-- tag is max(current tag, the key's last tag) + the task's cost. Tags are BullMQ priorities, lowest first, so keys take
-- turns and get equal shares by cost, however many tasks each has waiting.
-- KEYS: hash API key id -> last tag, the queue's sorted set of waiting tasks with a priority
-- ARGV: API key id, greatest tag, prefix of the keys of the queue's tasks, cost of each new task
-- Result: the tag of each new task, in order
local STEP = 4294967296 -- BullMQ: score = priority * 2^32 + counter
local key, greatest = ARGV[1], tonumber(ARGV[2])

-- The current tag is that of the next task in line. When no task waits, all keys start equal again.
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

-- Tags only grow while tasks wait. Before they exceed the greatest tag, shift all of them down so that the current tag
-- is 1. Since this rewrites every waiting task, do it only when it gains more than an eighth of the range.
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
  -- At the greatest tag, tasks are served first come, first served.
  last = math.min(greatest, last + tonumber(ARGV[n]))
  tags[#tags + 1] = last
end
redis.call('HSET', KEYS[1], key, string.format('%.0f', last))
redis.call('EXPIRE', KEYS[1], 86400)
return tags
