-- Claim the right to show something to a visitor, if the caps and the visitor's wishes allow it.
-- KEYS[1] v:{site:vid}:shown   KEYS[2] v:{site:vid}:claims   KEYS[3] v:{site:vid}
-- ARGV[1] decision id   ARGV[2] rule   ARGV[3] now   ARGV[4] moment the claim ends, or "" to count as shown at once
-- ARGV[5] count and ARGV[6] window in ms of this rule's cap (count -1: no cap)   ARGV[7], ARGV[8] the same over all rules
-- ARGV[9] TTL of claims in s   ARGV[10] TTL of the visitor in s
-- Reply 1, or 0: not now. The same decision asks as often as it likes and counts once.
local member = ARGV[1] .. '|' .. ARGV[2]
local suffix = '|' .. ARGV[2]
local now = tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[10]) * 1000))

local function of_rule(members)
  local count = 0
  for _, shown in ipairs(members) do
    if string.sub(shown, string.find(shown, '|', 1, true), -1) == suffix then
      count = count + 1
    end
  end
  return count
end

local function spent(count, window, tally)
  if count < 0 then
    return false
  end
  local shown = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', now - window), '+inf')
  return tally(shown) + tally(redis.call('ZRANGE', KEYS[2], 0, -1)) >= count
end

if redis.call('ZSCORE', KEYS[1], member) or redis.call('ZSCORE', KEYS[2], member) then
  return 1
end
if tonumber(redis.call('HGET', KEYS[3], 'quiet') or 0) > now then
  return 0
end
if spent(tonumber(ARGV[5]), tonumber(ARGV[6]), of_rule)
  or spent(tonumber(ARGV[7]), tonumber(ARGV[8]), table.getn) then
  return 0
end
if ARGV[4] == '' then
  redis.call('ZADD', KEYS[1], now, member)
  redis.call('EXPIRE', KEYS[1], ARGV[10])
else
  redis.call('ZADD', KEYS[2], ARGV[4], member)
  redis.call('EXPIRE', KEYS[2], ARGV[9])
end
return 1
