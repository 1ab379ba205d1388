-- Counts one unit of a job's work, exactly once however often it is told, and writes its rows and errors.
--
-- KEYS  1 job record   2 acknowledged units (bitmap)   3 errors   4 failed texts   5 units under way again
--       6.. result slices
-- ARGV  1 job id   2 unit   3 '1' when the rows come from the cache   4 rows   5 their tokens   6 truncated rows
--       7 errors   8 ttl, ms   9 channel of finished jobs   10 runs   11 failed texts   12 most of them to keep
--       then per run: slice (index into KEYS)   byte offset   bytes
--       then per error: position   JSON
--       then per failed text that may be tried again: field   places   JSON
-- Result  {1 when counted now, else 0; state; texts whose slices want a new time to live, else 0},
--         or {0, false, 0} when there is no such job.
-- A cancelled or failed job takes nothing any more.

local state = redis.call('HGET', KEYS[1], 'state')
if not state then return {0, false, 0} end
if state == 'cancelled' or state == 'failed' or state == 'completed' then return {0, state, 0} end
if redis.call('SETBIT', KEYS[2], ARGV[2], 1) == 1 then return {0, state, 0} end

local ttl = ARGV[8]
local at = 13
for _ = 1, tonumber(ARGV[10]) do
  local slice = KEYS[tonumber(ARGV[at])]
  redis.call('SETRANGE', slice, ARGV[at + 1], ARGV[at + 2])
  redis.call('PEXPIRE', slice, ttl)
  at = at + 3
end
for _ = 1, tonumber(ARGV[7]) do
  redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  at = at + 2
end
local room = ARGV[11] ~= '0' and ARGV[12] - redis.call('HLEN', KEYS[4]) or 0
for _ = 1, math.min(tonumber(ARGV[11]), room) do
  redis.call('HSET', KEYS[4], ARGV[at], ARGV[at + 2])
  redis.call('HINCRBY', KEYS[1], 'retriable', ARGV[at + 1])
  at = at + 3
end
redis.call('HDEL', KEYS[5], ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cached = ARGV[3] == '1'
local done = redis.call('HINCRBY', KEYS[1], 'done', ARGV[4])
local failed = redis.call('HINCRBY', KEYS[1], 'failed', ARGV[7])
redis.call('HINCRBY', KEYS[1], 'tokens', ARGV[5])
redis.call('HINCRBY', KEYS[1], 'truncated', ARGV[6])
redis.call('HSET', KEYS[1], 'updatedAt', now, 'expiresAt', now + ttl)

if cached then
  redis.call('HINCRBY', KEYS[1], 'cached', ARGV[4])
else
  -- The rate of computing, measured over windows of at least a second and smoothed.
  local computed = redis.call('HINCRBY', KEYS[1], 'computed', ARGV[4])
  local tokens = redis.call('HINCRBY', KEYS[1], 'computedTokens', ARGV[5])
  local window = redis.call('HMGET', KEYS[1], 'windowAt', 'windowTexts', 'windowTokens', 'textsPerSecond', 'tokensPerSecond')
  local since = tonumber(window[1])
  if not since then
    redis.call('HSET', KEYS[1], 'windowAt', now, 'windowTexts', computed, 'windowTokens', tokens, 'startedAt', now)
    if state == 'queued' then
      state = 'running'
      redis.call('HSET', KEYS[1], 'state', state)
    end
  elseif now - since >= 1000 then
    local seconds = (now - since) / 1000
    local texts_rate = (computed - window[2]) / seconds
    local tokens_rate = (tokens - window[3]) / seconds
    if window[4] then
      texts_rate = (texts_rate + window[4]) / 2
      tokens_rate = (tokens_rate + window[5]) / 2
    end
    redis.call('HSET', KEYS[1], 'windowAt', now, 'windowTexts', computed, 'windowTokens', tokens,
      'textsPerSecond', texts_rate, 'tokensPerSecond', tokens_rate)
  end
end

local upload = redis.call('HMGET', KEYS[1], 'sealed', 'texts', 'keptAt')
if upload[1] and done + failed >= tonumber(upload[2]) then
  state = 'completed'
  redis.call('HSET', KEYS[1], 'state', state, 'finishedAt', now)
  redis.call('PUBLISH', ARGV[9], ARGV[1])
end
for i = 1, 5 do redis.call('PEXPIRE', KEYS[i], ttl) end

-- Slices written long ago must not expire before the job does; often enough that one renewal may get lost.
local renew = 0
if state == 'completed' or now - upload[3] >= ttl / 3 then
  redis.call('HSET', KEYS[1], 'keptAt', now)
  renew = tonumber(upload[2])
end
return {1, state, renew}
