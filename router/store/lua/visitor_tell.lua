-- Remember what the shop's backend says of a visitor; what is not said stays, an empty value is forgotten.
-- KEYS[1] v:{site:vid}:profile
-- ARGV[1] TTL of the visitor in s   ARGV[2] fields remembered at most   ARGV[3..] field, value, field, value ...
-- Reply 1.
for i = 3, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  elseif redis.call('HLEN', KEYS[1]) < tonumber(ARGV[2]) or redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
