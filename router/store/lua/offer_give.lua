-- Whether an agent may give one more code of a campaign: so many in 24 hours. The same one again is one.
-- KEYS[1] f:{site}:given:<offer>:<login>
-- ARGV[1] id of what is given   ARGV[2] now in ms   ARGV[3] how many   ARGV[4] the time in which they count, s
-- Reply 1 or 0.
local now, window = tonumber(ARGV[2]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window * 1000)
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 1
end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then
  return 0
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('EXPIRE', KEYS[1], window)
return 1
