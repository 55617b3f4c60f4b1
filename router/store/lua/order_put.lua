-- Record that an order reached a state; a cancel before payment gives its code back.
-- KEYS[1] f:{site}:order:<order>
-- ARGV[1] order   ARGV[2] state: placed, paid, cancelled or returned   ARGV[3] value   ARGV[4] currency
-- ARGV[5] moment   ARGV[6] session id, or ""   ARGV[7] now   ARGV[8] TTL in s
-- ARGV[9] prefix of code names, "f:{site}:code:" (same slot)
-- Reply {"new" or "again", moment, session or "", code given back or ""}: the answer of the first time, every time
--    or {"state", what it is}: cancelled and returned are final
--    or {"value", value and currency recorded for this state}   or {"currency", the order's currency}
-- Each state keeps its own fields (<state>.at, .value, .sid, .back). A `placed` that comes after `paid` is recorded
-- and moves nothing.
local RANK = {placed = 1, paid = 2, cancelled = 3, returned = 3}
local state = ARGV[2]
local order = redis.call('HMGET', KEYS[1], 'state', 'currency', 'sid', 'code',
  state .. '.at', state .. '.value', state .. '.sid', state .. '.back')
local was, currency, sid, code, at, value = unpack(order, 1, 6)
if currency and currency ~= ARGV[4] then
  return {'currency', currency}
end
if at then
  if value ~= ARGV[3] then
    return {'value', value .. ' ' .. currency}
  end
  return {'again', at, order[7], order[8]}
end
if was and RANK[was] == 3 then
  return {'state', was}
end

sid = sid or ARGV[6]
local back = ''
if state == 'cancelled' and was ~= 'paid' and code then
  local holder = redis.call('HMGET', ARGV[9] .. code, 'order', 'expires')
  if holder[1] == ARGV[1] and tonumber(holder[2]) > tonumber(ARGV[7]) then
    redis.call('HDEL', ARGV[9] .. code, 'order', 'at')
    back = code
  end
end
if not was or RANK[state] > RANK[was] then
  redis.call('HSET', KEYS[1], 'state', state)
end
redis.call('HSET', KEYS[1], 'currency', ARGV[4],
  state .. '.at', ARGV[5], state .. '.value', ARGV[3], state .. '.sid', sid, state .. '.back', back)
if sid ~= '' then
  redis.call('HSET', KEYS[1], 'sid', sid)
end
redis.call('EXPIRE', KEYS[1], ARGV[8])
return {'new', ARGV[5], sid, back}
