-- Adds an upload's next window to the job, before its tasks are enqueued. With 0 texts it only keeps the upload alive.
--
-- KEYS  1 job record
-- ARGV  1 number of texts   2 number of units of work for them   3 ttl, ms
-- Result  {state, number of texts whose slices need their TTL renewed, or 0}, or {false, 0} when there is no such job.
--         Only a job in state 'receiving' accepts texts.

local state = redis.call('HGET', KEYS[1], 'state')
local renew = 0
if state == 'receiving' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local texts = redis.call('HINCRBY', KEYS[1], 'texts', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'units', ARGV[2])
  redis.call('HSET', KEYS[1], 'heardAt', now, 'updatedAt', now, 'expiresAt', now + ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  if now - redis.call('HGET', KEYS[1], 'keptAt') >= ARGV[3] / 3 then
    redis.call('HSET', KEYS[1], 'keptAt', now)
    renew = texts
  end
end
return {state, renew}
