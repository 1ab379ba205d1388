-- Adds an upload's next window to the job, before its tasks are enqueued. With 0 texts it only says that the upload lives.
--
-- KEYS  1 job record
-- ARGV  1 texts   2 units of work they are put into   3 ttl, ms
-- Result  {state, texts whose slices want a new time to live, else 0}, or {false, 0} when there is no such job.
--         Only a job in state 'receiving' takes texts.

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
