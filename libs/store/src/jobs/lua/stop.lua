-- Ends an unfinished job. A final job is not changed.
--
-- KEYS  1 job record
-- ARGV  1 job id   2 ttl, ms   3 channel of finished jobs   4 state: 'cancelled' or 'failed'   5 error JSON or ''
--       6 stop only an upload whose heardAt is not later than this, epoch ms, or '' for no condition
-- Result  {state, number of texts whose slices need their TTL renewed, or 0}, or {false, 0} when there is no such job.

local job = redis.call('HMGET', KEYS[1], 'state', 'heardAt', 'texts')
local state = job[1]
if not state or state == 'completed' or state == 'failed' or state == 'cancelled' then return {state, 0} end
if ARGV[6] ~= '' and (state ~= 'receiving' or tonumber(job[2]) > tonumber(ARGV[6])) then return {state, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'finishedAt', now, 'updatedAt', now, 'expiresAt', now + ARGV[2])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[5]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[1])
return {ARGV[4], tonumber(job[3])}
