-- Count a try, and say whether it is one too many.
--
-- KEYS[1] the counter  ARGV[1] how many there may be  ARGV[2] the counter's TTL from its first try, s
-- answer  1 if this try may be made, else 0
local tries = redis.call('INCR', KEYS[1])
if tries == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return tries <= tonumber(ARGV[1]) and 1 or 0
