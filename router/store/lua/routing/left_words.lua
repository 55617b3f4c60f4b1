-- uses common matching transitions handing due
-- A message that was made of an unanswered conversation gets what the shopper wrote there.
--
-- ARGV[3] id  ARGV[4] the words  ARGV[5] due, ms (0: as it was)
-- value   true, or refused: not_found
local id, due = ARGV[3], tonumber(ARGV[5])
if call('EXISTS', P .. 'left:' .. id) == 0 then return answer(refused('not_found')) end
call('HSET', P .. 'left:' .. id, 'text', ARGV[4])
if due > 0 then
  call('HSET', P .. 'left:' .. id, 'due', due)
  call('ZADD', P .. 'left', 'XX', due, id)
end
touch('talks', id)
return answer(true)
