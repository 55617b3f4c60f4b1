-- uses common matching transitions handing due
-- The agent takes the conversation that rings for them, also as a transfer. Again by the same agent: harmless (another
-- tab did it).
--
-- ARGV[3] login  ARGV[4] conversation
-- value   the record, or refused: no_conversation, too_late
local login, cid = ARGV[3], ARGV[4]
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.state == 'active' and talk.agent == login then return answer(view(talk)) end
local rings = talk.to == login or (talk.state == 'ringing' and talk.agent == login)
if not rings or tonumber(talk.deadline) <= now then return answer(refused('too_late')) end
if talk.to == login then hand_over(talk) else begin(talk, login, talk.why) end
return answer(view(talk))
