-- uses common matching transitions handing due
-- A left message was dealt with: it leaves the worklist, its record stays.
--
-- ARGV[3] id  ARGV[4] who did it  ARGV[5] outcome  ARGV[6] note  ARGV[7] "1": whoever has it
-- value   true, or refused: not_found, not_yours, too_late (it is done)
local id, login = ARGV[3], ARGV[4]
local left = call('HMGET', P .. 'left:' .. id, 'owner', 'queue', 'outcome')
if not left[2] then return answer(refused('not_found')) end
if left[3] then return answer(left[3] == ARGV[5] and true or refused('too_late')) end
local has = left[1] or ''
if has ~= '' and has ~= login and ARGV[7] ~= '1' then return answer(refused('not_yours')) end
call('HSET', P .. 'left:' .. id, 'owner', login, 'outcome', ARGV[5], 'note', ARGV[6], 'done', now)
call('ZREM', P .. 'left', id)
touch('talks', id)
table.insert(events, {
  kind = 'message_done', message = id, queue = left[2], agent = login, outcome = ARGV[5], at_ms = now,
})
return answer(true)
