-- Append a chunk of behaviour; when the stream has grown too large, its oldest tenth goes.
-- KEYS[1] j:{n}:behaviour
-- ARGV[1] bytes the stream may take, about   ARGV[2] msgpack
redis.call('XADD', KEYS[1], '*', 'r', ARGV[2])
if redis.call('MEMORY', 'USAGE', KEYS[1]) > tonumber(ARGV[1]) then
  redis.call('XTRIM', KEYS[1], 'MAXLEN', math.floor(redis.call('XLEN', KEYS[1]) * 0.9))
end
return 1
