-- An order uses a code, once; the same order may ask again.
-- KEYS[1] f:{site}:code:<code>   KEYS[2] f:{site}:order:<order>
-- ARGV[1] code   ARGV[2] order   ARGV[3] now   ARGV[4] TTL of the order in s
-- ARGV[5] prefix of budget names, "f:{site}:budget:" (same slot)
-- Reply {"ok", offer, percent, moment, decision id}
--    or {"unknown_code"}, {"expired"}, {"redeemed"}
--    or {"over", state}: the order is cancelled or returned   or {"other", code}: the order has used another code
local known = redis.call('HMGET', KEYS[1], 'offer', 'percent', 'expires', 'did', 'order', 'at')
local offer, percent, expires, did, order, at = unpack(known)
if not offer then
  return {'unknown_code'}
end
local held = redis.call('HMGET', KEYS[2], 'state', 'code')
if held[1] == 'cancelled' or held[1] == 'returned' then
  return {'over', held[1]}
end
if order then
  if order ~= ARGV[2] then
    return {'redeemed'}
  end
  return {'ok', offer, percent, at, did}
end
if tonumber(expires) <= tonumber(ARGV[3]) then
  return {'expired'}
end
if held[2] and held[2] ~= ARGV[1] then
  return {'other', held[2]}
end
redis.call('HSET', KEYS[1], 'order', ARGV[2], 'at', ARGV[3])
redis.call('ZADD', ARGV[5] .. offer, 'inf', ARGV[1])
redis.call('HSET', KEYS[2], 'code', ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return {'ok', offer, percent, ARGV[3], did}
