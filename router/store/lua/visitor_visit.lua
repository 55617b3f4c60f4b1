-- Count a visit, once a session.
-- KEYS[1] v:{site:vid}:visits   KEYS[2] v:{site:vid}
-- ARGV[1] session id   ARGV[2] now   ARGV[3] sessions remembered   ARGV[4] TTL of the visitor in s
-- Reply the visits so far.
if redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'visits', 1)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return tonumber(redis.call('HGET', KEYS[2], 'visits'))
