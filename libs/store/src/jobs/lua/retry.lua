-- Makes failed inputs of a job unfinished again, as one new unit of work: removes their errors, and sets a completed
-- job back to running. The inputs are stored under the unit until it is acknowledged.
--
-- KEYS  1 job record   2 errors   3 failed inputs   4 units being retried
-- ARGV  1 ttl, ms   2.. fields of the failed inputs
-- Result  {state; unit, or -1 when none of these inputs is left; number of texts in the unit; number of texts whose
--         slices need their TTL renewed, or 0}, or {false, -1, 0, 0} when there is no such job.
-- Nothing is retried while the upload is in progress, or after the job was cancelled or failed: the unit is -1.

local job = redis.call('HMGET', KEYS[1], 'state', 'sealed', 'texts', 'windowAt', 'computed', 'computedTokens')
local state = job[1]
if not state or not job[2] or state == 'cancelled' or state == 'failed' then return {state, -1, 0, 0} end

local taken = {}
local positions = 0
for n = 2, #ARGV do
  local text = redis.call('HGET', KEYS[3], ARGV[n])
  if text then
    taken[#taken + 1] = text
    for _, position in ipairs(cjson.decode(text).positions) do
      redis.call('HDEL', KEYS[2], position)
      positions = positions + 1
    end
    redis.call('HDEL', KEYS[3], ARGV[n])
  end
end
if #taken == 0 then return {state, -1, 0, 0} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local unit = redis.call('HINCRBY', KEYS[1], 'units', 1) - 1
redis.call('HSET', KEYS[4], unit, '[' .. table.concat(taken, ',') .. ']')
redis.call('HINCRBY', KEYS[1], 'failed', -positions)
redis.call('HINCRBY', KEYS[1], 'retriable', -positions)
redis.call('HSET', KEYS[1], 'updatedAt', now, 'expiresAt', now + ARGV[1])
-- The time since the last window must not lower the rate.
if job[4] then
  redis.call('HSET', KEYS[1], 'windowAt', now, 'windowTexts', job[5] or 0, 'windowTokens', job[6] or 0)
end
local renew = 0
if state == 'completed' then
  state = 'running'
  redis.call('HSET', KEYS[1], 'state', state, 'keptAt', now)
  redis.call('HDEL', KEYS[1], 'finishedAt')
  renew = tonumber(job[3])
end
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[1]) end
return {state, unit, positions, renew}
