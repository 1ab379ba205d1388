-- Ends the upload: from now on `texts` is the total, and the job completes when all texts are done or failed.
--
-- KEYS  1 job record
-- ARGV  1 job id   2 ttl, ms   3 channel of finished jobs
-- Result  {state, number of texts whose slices need their TTL renewed, or 0}, or {false, 0} when there is no such job.

local job = redis.call('HMGET', KEYS[1], 'state', 'texts', 'done', 'failed', 'startedAt')
local state = job[1]
if state ~= 'receiving' then return {state, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'sealed', 1, 'updatedAt', now, 'expiresAt', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if job[3] + job[4] >= tonumber(job[2]) then
  state = 'completed'
  redis.call('HSET', KEYS[1], 'finishedAt', now)
  redis.call('PUBLISH', ARGV[3], ARGV[1])
else
  state = job[5] and 'running' or 'queued'
end
redis.call('HSET', KEYS[1], 'state', state)
return {state, state == 'completed' and tonumber(job[2]) or 0}
