-- Store a line of a conversation, once a message id. Offsets are 1, 2, 3, ... without a hole.
--
-- KEYS[1] the conversation's stream  KEYS[2] its ids: hash "author:mid" -> offset
-- ARGV[1] now in ms; 0: the server's own TIME  ARGV[2] author  ARGV[3] mid  ARGV[4] text  ARGV[5] name or ""
-- ARGV[6] the most lines there may be  ARGV[7] TTL of both keys, s
-- ARGV[8] the offset of the author's latest line, or "": any
-- ARGV[9] a card as JSON, or ""
-- answer  [offset, 1 if it is new]; offset 0: full, -1: the author has a later line
local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local id = ARGV[2] .. ':' .. ARGV[3]
local stored = redis.call('HGET', KEYS[2], id)
if stored then return {tonumber(stored), 0} end
local offset = tonumber(redis.call('HGET', KEYS[2], 'newest') or 0) + 1
if offset > tonumber(ARGV[6]) then return {0, 0} end
local latest = 'of:' .. ARGV[2]
if ARGV[8] ~= '' and (redis.call('HGET', KEYS[2], latest) or '0') ~= ARGV[8] then return {-1, 0} end
local fields = {'author', ARGV[2], 'mid', ARGV[3], 'text', ARGV[4], 'name', ARGV[5], 'at', string.format('%.0f', now)}
if ARGV[9] ~= '' then
  table.insert(fields, 'card')
  table.insert(fields, ARGV[9])
end
redis.call('XADD', KEYS[1], offset .. '-0', unpack(fields))
redis.call('HSET', KEYS[2], id, offset, 'newest', offset, latest, offset)
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[7])
return {offset, 1}
