-- Switches a job to another version of its model, if it has no rows of the old version yet.
--
-- KEYS  1 job record
-- ARGV  1 old fingerprint   2 new fingerprint   3 new spec, JSON   4 new row length (`RowBytes`), JSON
-- Result  'replanned': the job has the new version, now or already before; 'begun': it has rows of the old version, or
--         belongs to a third one; 'over': there is no such job, or it is final.

local job = redis.call('HMGET', KEYS[1], 'state', 'done', 'spec')
local state = job[1]
if not state or state == 'completed' or state == 'cancelled' or state == 'failed' then return 'over' end
local has = cjson.decode(job[3]).fingerprint
if has == ARGV[2] then return 'replanned' end
if has ~= ARGV[1] or tonumber(job[2]) > 0 then return 'begun' end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'spec', ARGV[3], 'rowBytes', ARGV[4])
return 'replanned'
