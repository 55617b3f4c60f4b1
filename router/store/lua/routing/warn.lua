-- uses common matching transitions handing due
-- The shopper is asked to stay polite, in a line of the conversation.
--
-- ARGV[3] login  ARGV[4] conversation
-- value   true, or refused: no_conversation, not_yours, too_late
local talk = read(ARGV[4])
if not talk then return answer(refused('no_conversation')) end
if talk.agent ~= ARGV[3] then return answer(refused('not_yours')) end
if talk.state ~= 'active' then return answer(refused('too_late')) end
notice(talk, 'warned')
tell('warned', talk)
return answer(true)
