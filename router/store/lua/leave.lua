-- Leave a last batch in a session's inbox, to be folded by the owner or at the next attach.
-- KEYS[1] i:{sid}   ARGV[1] the batch   ARGV[2] the most batches that may wait   ARGV[3] TTL in s
-- Reply 1 if it is stored, 0 if the inbox is full
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
