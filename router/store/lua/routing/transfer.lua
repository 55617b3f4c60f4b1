-- uses common matching transitions handing due
-- The agent passes a talk to another, for whom it rings. Refused or missed, it is the sender's as before.
--
-- ARGV[3] sender  ARGV[4] conversation  ARGV[5] to whom  ARGV[6] note
-- value   true, or refused: no_conversation, not_yours, too_late (not active), full (not on duty, or no free slot)
local login, cid, to = ARGV[3], ARGV[4], ARGV[5]
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.agent ~= login then return answer(refused('not_yours')) end
if talk.state ~= 'active' then return answer(refused('too_late')) end
if talk.to == to then return answer(true) end
if to == login or not can_take(to) then return answer(refused('full')) end
hand(talk, to, call('HGET', P .. 'agent:' .. login, 'name') or '', ARGV[6], 'transfer')
return answer(true)
