-- The code of a decision was not shown and will not be: it ends and its place returns to the budget.
-- KEYS[1] f:{site}:did:<did>
-- ARGV[1] prefix of code names, "f:{site}:code:"   ARGV[2] prefix of budget names, "f:{site}:budget:" (same slot)
-- Reply 1, or 0: there is no such code, or it was shown or redeemed and stays.
local code = redis.call('GET', KEYS[1])
local offer = code and redis.call('HGET', ARGV[1] .. code, 'offer')
if not offer or redis.call('ZSCORE', ARGV[2] .. offer, code) == 'inf' then
  return 0
end
redis.call('ZREM', ARGV[2] .. offer, code)
redis.call('DEL', ARGV[1] .. code, KEYS[1])
return 1
