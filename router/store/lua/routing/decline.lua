-- uses common matching transitions handing due
-- The agent lets the conversation go on to the next, or a transfer back to its sender; not counted as missed.
--
-- ARGV[3] login  ARGV[4] conversation
-- value   true, or refused: no_conversation, too_late
local login, cid = ARGV[3], ARGV[4]
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.to ~= login and (talk.state ~= 'ringing' or talk.agent ~= login) then return answer(refused('too_late')) end
call('HSET', P .. 'agent:' .. login, 'missed', 0)
if talk.to == login then recall(talk, 'declined') else pass_on(talk, 'declined') end
return answer(true)
