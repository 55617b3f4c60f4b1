-- Remember an order of a visitor, or forget a cancelled one.
-- KEYS[1] v:{site:vid}:orders
-- ARGV[1] order   ARGV[2] "1" remember, "0" forget   ARGV[3] orders remembered at most   ARGV[4] TTL of the visitor in s
-- Reply the orders remembered.
if ARGV[2] == '0' then
  redis.call('SREM', KEYS[1], ARGV[1])
elseif redis.call('SCARD', KEYS[1]) < tonumber(ARGV[3]) then
  redis.call('SADD', KEYS[1], ARGV[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return redis.call('SCARD', KEYS[1])
