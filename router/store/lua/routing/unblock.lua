-- uses common matching transitions handing due
-- A supervisor lifts a block. Once more is harmless.
--
-- ARGV[3] login  ARGV[4] the conversation that it was made in
-- value   true
local block = call('HGET', P .. 'blocks', ARGV[4])
if block then
  local ids = cjson.decode(block).ids
  if #ids > 0 then call('ZREM', P .. 'blocked', unpack(ids)) end
  call('HDEL', P .. 'blocks', ARGV[4])
  table.insert(events, {kind = 'unblocked', cid = ARGV[4], at_ms = now, agent = ARGV[3]})
end
return answer(true)
