-- Gives a job another version of its model, if it has no row of the old one yet.
--
-- KEYS  1 job record
-- ARGV  1 fingerprint it was accepted for   2 fingerprint it is to have   3 spec, JSON   4 bytes of a row, JSON
-- Result  'replanned': it has the new one, now or since before; 'begun': there are rows of the old one;
--         'over': there is no such job, or it is final.

local job = redis.call('HMGET', KEYS[1], 'state', 'done', 'spec')
local state = job[1]
if not state or state == 'completed' or state == 'cancelled' or state == 'failed' then return 'over' end
local has = cjson.decode(job[3]).fingerprint
if has == ARGV[2] then return 'replanned' end
if has ~= ARGV[1] or tonumber(job[2]) > 0 then return 'begun' end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2], 'spec', ARGV[3], 'rowBytes', ARGV[4])
return 'replanned'
