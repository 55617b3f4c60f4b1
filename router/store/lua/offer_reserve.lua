-- Make one code for a decision, or give the one that was made, within the campaign's budget.
-- KEYS[1] f:{site}:did:<did>   KEYS[2] f:{site}:budget:<offer>   KEYS[3] f:{site}:code:<code>
-- ARGV[1] code   ARGV[2] offer   ARGV[3] budget, a count of codes   ARGV[4] percent   ARGV[5] moment the code expires
-- ARGV[6] decision id   ARGV[7] visitor, or ""   ARGV[8] moment the claim ends   ARGV[9] now   ARGV[10] TTL in s
-- ARGV[11] prefix of code names, "f:{site}:code:" (same slot)
-- Reply {code, offer, percent, expires}, or nil: the budget is spent, or the code is another decision's.
-- A code exists exactly as long as it stands in the budget, so what is shown or redeemed is never beyond it.
local function made(code)
  local known = redis.call('HMGET', ARGV[11] .. code, 'offer', 'percent', 'expires')
  return known[1] and {code, known[1], known[2], known[3]}
end

local before = redis.call('GET', KEYS[1])
local known = before and made(before)
if known then
  return known
end
if redis.call('EXISTS', KEYS[3]) == 1 then
  return nil
end
local budget = tonumber(ARGV[3])
if redis.call('ZCARD', KEYS[2]) >= budget then
  -- claims that were never shown are taken back only when room is needed: a late "shown" keeps its code until then
  for _, code in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[9], 'LIMIT', 0, 16)) do
    redis.call('ZREM', KEYS[2], code)
    redis.call('DEL', ARGV[11] .. code)
  end
  if redis.call('ZCARD', KEYS[2]) >= budget then
    return nil
  end
end
redis.call('ZADD', KEYS[2], ARGV[8], ARGV[1])
redis.call('HSET', KEYS[3], 'offer', ARGV[2], 'percent', ARGV[4], 'expires', ARGV[5], 'did', ARGV[6], 'visitor', ARGV[7])
redis.call('EXPIRE', KEYS[3], ARGV[10])
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[10])
return made(ARGV[1])
