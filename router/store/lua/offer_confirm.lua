-- The code of a decision was shown: it stays in the campaign's budget.
-- KEYS[1] f:{site}:did:<did>
-- ARGV[1] prefix of code names, "f:{site}:code:"   ARGV[2] prefix of budget names, "f:{site}:budget:" (same slot)
-- Reply 1, or 0: there is no such code (any more).
local code = redis.call('GET', KEYS[1])
local offer = code and redis.call('HGET', ARGV[1] .. code, 'offer')
if not offer then
  return 0
end
redis.call('ZADD', ARGV[2] .. offer, 'inf', code)
return 1
