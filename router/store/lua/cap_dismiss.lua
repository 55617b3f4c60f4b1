-- A visitor dismissed a decision: rest once, longer the second time, for ever if asked.
-- KEYS[1] v:{site:vid}:dismissed   KEYS[2] v:{site:vid}
-- ARGV[1] decision id   ARGV[2] now   ARGV[3] rest after the first in ms   ARGV[4] rest after more in ms
-- ARGV[5] the moment that means never, or ""   ARGV[6] TTL of the visitor in s
-- Reply the moment until which nothing proactive is shown. The same dismissal counts once.
local now = tonumber(ARGV[2])
local quiet = tonumber(redis.call('HGET', KEYS[2], 'quiet') or 0)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[6]) * 1000))
if redis.call('ZADD', KEYS[1], 'NX', now, ARGV[1]) == 1 then
  local rest = redis.call('ZCARD', KEYS[1]) > 1 and ARGV[4] or ARGV[3]
  quiet = math.max(quiet, now + tonumber(rest))
end
if ARGV[5] ~= '' then
  quiet = tonumber(ARGV[5])
end
quiet = string.format('%.0f', quiet)
redis.call('HSET', KEYS[2], 'quiet', quiet)
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return quiet
