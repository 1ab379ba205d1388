-- Switches a job to another version of its model, if it has no rows yet.
--
-- KEYS  1 job record
-- ARGV  1 new fingerprint   2 new spec, JSON   3 new row length (`RowBytes`), JSON
-- Result  'replanned': the job has the new version, now or already before; 'begun': it has rows of another version;
--         'over': there is no such job, or it is final.

local job = redis.call('HMGET', KEYS[1], 'state', 'done', 'spec')
local state = job[1]
if not state or state == 'completed' or state == 'cancelled' or state == 'failed' then return 'over' end
if cjson.decode(job[3]).fingerprint == ARGV[1] then return 'replanned' end
if tonumber(job[2]) > 0 then return 'begun' end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'spec', ARGV[2], 'rowBytes', ARGV[3])
return 'replanned'
