-- A decision was shown to a visitor: it counts, from its first showing on.
-- KEYS[1] v:{site:vid}:shown   KEYS[2] v:{site:vid}:claims
-- ARGV[1] decision id   ARGV[2] rule   ARGV[3] now   ARGV[4] TTL of the visitor in s
-- Reply 1 if it counts from now on, 0 if it did before.
local member = ARGV[1] .. '|' .. ARGV[2]
redis.call('ZREM', KEYS[2], member)
local added = redis.call('ZADD', KEYS[1], 'NX', ARGV[3], member)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return added
