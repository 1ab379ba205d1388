-- Counts one unit of a job's work, exactly once however often it is acknowledged, and writes its rows and errors.
--
-- KEYS  1 job record   2 acknowledged units (bitmap)   3 errors   4 failed inputs   5 units being retried
--       6.. result slices
-- ARGV  1 JSON: job (id), unit, fingerprint, cached (whether the rows come from the cache), rows, tokens, truncated
--         (counts), ttl (ms), channel (of finished jobs), mostFailed (maximum number of failed inputs to keep),
--         writes [{key (index into KEYS), offset} for a slice that is a string, {key, field} for one that is a hash],
--         errors [[position, JSON]], failed [[field, number of positions, JSON]] (inputs that can be retried)
--       2.. the bytes of each write
-- Result  {1 if counted now, 0 if it was counted before or the job is final, -1 if the rows are of another version of
--         the model than the job's; state; number of texts whose slices need their TTL renewed, or 0},
--         or {0, false, 0} when there is no such job.
-- A final job (completed, cancelled or failed) accepts nothing.

local ack = cjson.decode(ARGV[1])
local job = redis.call('HMGET', KEYS[1], 'state', 'fingerprint', 'spec')
local state = job[1]
if not state then return {0, false, 0} end
if state == 'cancelled' or state == 'failed' or state == 'completed' then return {0, state, 0} end
if redis.call('GETBIT', KEYS[2], ack.unit) == 1 then return {0, state, 0} end
if ack.rows > 0 and ack.fingerprint ~= (job[2] or cjson.decode(job[3]).fingerprint) then return {-1, state, 0} end
redis.call('SETBIT', KEYS[2], ack.unit, 1)

local ttl = string.format('%.0f', ack.ttl)
local renewed = {}
for n, write in ipairs(ack.writes) do
  local slice = KEYS[write.key]
  if write.offset then
    redis.call('SETRANGE', slice, write.offset, ARGV[n + 1])
  else
    redis.call('HSET', slice, write.field, ARGV[n + 1])
  end
  if not renewed[slice] then redis.call('PEXPIRE', slice, ttl) end
  renewed[slice] = true
end
for _, entry in ipairs(ack.errors) do
  redis.call('HSET', KEYS[3], entry[1], entry[2])
end
local room = #ack.failed > 0 and ack.mostFailed - redis.call('HLEN', KEYS[4]) or 0
for n = 1, math.min(#ack.failed, room) do
  local entry = ack.failed[n]
  redis.call('HSET', KEYS[4], entry[1], entry[3])
  redis.call('HINCRBY', KEYS[1], 'retriable', entry[2])
end
redis.call('HDEL', KEYS[5], ack.unit)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local done = redis.call('HINCRBY', KEYS[1], 'done', ack.rows)
local failed = redis.call('HINCRBY', KEYS[1], 'failed', #ack.errors)
redis.call('HINCRBY', KEYS[1], 'tokens', ack.tokens)
redis.call('HINCRBY', KEYS[1], 'truncated', ack.truncated)
redis.call('HSET', KEYS[1], 'updatedAt', now, 'expiresAt', now + ack.ttl)

if ack.cached then
  redis.call('HINCRBY', KEYS[1], 'cached', ack.rows)
else
  -- Rate of computation, measured over windows of at least a second, averaged with the previous rate.
  local computed = redis.call('HINCRBY', KEYS[1], 'computed', ack.rows)
  local tokens = redis.call('HINCRBY', KEYS[1], 'computedTokens', ack.tokens)
  local window = redis.call('HMGET', KEYS[1], 'windowAt', 'windowTexts', 'windowTokens',
    'textsPerSecond', 'tokensPerSecond')
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
  redis.call('PUBLISH', ack.channel, ack.job)
end
for i = 1, 5 do redis.call('PEXPIRE', KEYS[i], ttl) end

-- Slices written long ago must not expire before the job. Renew every third of the TTL, so that one may be missed.
local renew = 0
if state == 'completed' or now - upload[3] >= ack.ttl / 3 then
  redis.call('HSET', KEYS[1], 'keptAt', now)
  renew = tonumber(upload[2])
end
return {1, state, renew}
