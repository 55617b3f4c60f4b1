-- uses common matching transitions handing due
-- Somebody answers for a left message, or nobody any more.
--
-- ARGV[3] id  ARGV[4] who says so  ARGV[5] the new owner ("": nobody)  ARGV[6] "1": whoever has it now
-- value   true, or refused: not_found, not_yours
local id, login, owner = ARGV[3], ARGV[4], ARGV[5]
local left = call('HMGET', P .. 'left:' .. id, 'owner', 'queue')
if not left[2] or not call('ZSCORE', P .. 'left', id) then return answer(refused('not_found')) end
local has = left[1] or ''
if has ~= '' and has ~= login and ARGV[6] ~= '1' then return answer(refused('not_yours')) end
call('HSET', P .. 'left:' .. id, 'owner', owner)
touch('talks', id)
table.insert(events, {kind = 'message_taken', message = id, queue = left[2], agent = owner, at_ms = now})
return answer(true)
