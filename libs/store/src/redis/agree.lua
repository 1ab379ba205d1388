-- Records the version of the data formats, and never lowers it.
--
-- KEYS  1 version of the data
-- ARGV  1 version that this process writes   2 version of data without a record
-- Result  the version of the data before

local found = tonumber(redis.call('GET', KEYS[1]) or ARGV[2])
if found < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return found
