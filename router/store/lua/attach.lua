-- Become the owner of a session, or learn who is.
-- KEYS[1] o:{sid}   KEYS[2] i:{sid}   KEYS[3] s:{sid}:<new token>
-- ARGV[1] this node   ARGV[2] new token   ARGV[3] prefix of blob names, "s:{sid}:"   ARGV[4] the token this process holds, or ""
-- ARGV[5] an owner's token that was found dead, or ""   ARGV[6] page that opens, or ""   ARGV[7] its predecessor, or ""
-- ARGV[8] TTL of the blob in s   ARGV[9] TTL of the owner record in s
-- Reply {"mine", blob, {inbox entries}}: the blob now lives at the new token ("" if the session is new)
--    or {"elsewhere", node, token}: a living owner has open pages
--    or {"fenced"}: ARGV[4] was given, but somebody else's token stands there. (No owner at all, after a store
--       that lost its data, is no fence: what this process holds is then the best there is.)
local held = redis.call('HMGET', KEYS[1], 'node', 'token')
local node, token = held[1], held[2]
if ARGV[4] ~= '' and token and token ~= ARGV[4] then
  return {'fenced'}
end
if token and node ~= ARGV[1] and token ~= ARGV[5] then
  local open = 'p:' .. node .. ':'
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, #open) == open and string.sub(field, #open + 1) ~= ARGV[7] and string.sub(field, #open + 1) ~= ARGV[6] then
      return {'elsewhere', node, token}
    end
  end
end
if token and redis.call('EXISTS', ARGV[3] .. token) == 1 then
  redis.call('RENAME', ARGV[3] .. token, KEYS[3])
  redis.call('EXPIRE', KEYS[3], ARGV[8])
else
  redis.call('SET', KEYS[3], '', 'EX', ARGV[8])
end
if node ~= ARGV[1] then
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'token', ARGV[2])
if ARGV[6] ~= '' then
  redis.call('HSET', KEYS[1], 'p:' .. ARGV[1] .. ':' .. ARGV[6], '')
end
redis.call('EXPIRE', KEYS[1], ARGV[9])
return {'mine', redis.call('GET', KEYS[3]), redis.call('LRANGE', KEYS[2], 0, -1)}
