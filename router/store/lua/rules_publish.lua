-- Publish a site's rules as the next revision; the oldest revisions are forgotten.
-- KEYS[1] k:{site}:rules   KEYS[2] k:{site}:revision: (the prefix of revisions, in the same slot)
-- ARGV[1] rules   ARGV[2] version   ARGV[3] now   ARGV[4] who   ARGV[5] note   ARGV[6] revisions kept   ARGV[7] texts, or ""
-- Reply the revision's number.
local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
redis.call('HSET', KEYS[2] .. number, 'text', ARGV[1], 'version', ARGV[2], 'at', ARGV[3], 'who', ARGV[4], 'note', ARGV[5],
  'texts', ARGV[7])
redis.call('DEL', KEYS[2] .. (number - tonumber(ARGV[6])))
return number
