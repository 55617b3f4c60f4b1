-- uses common matching transitions
-- The agent takes the conversation that rings for them. Again by the same agent: harmless (another tab did it).
--
-- ARGV[3] login  ARGV[4] conversation
-- value   the record, or refused: no_conversation, too_late
local login, cid = ARGV[3], ARGV[4]
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.state == 'active' and talk.agent == login then return answer(view(talk)) end
if talk.state ~= 'ringing' or talk.agent ~= login or tonumber(talk.deadline) <= now then
  return answer(refused('too_late'))
end
disarm('ring', cid)
call('HSET', P .. 'agent:' .. login, 'missed', 0)
write(talk, {state = 'active', accepted = now, deadline = 0, tried = '', over = 'accepted', over_of = login})
notice(talk, 'joined', call('HGET', P .. 'agent:' .. login, 'name') or '')
tell('accepted', talk)
return answer(view(talk))
