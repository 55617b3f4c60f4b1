-- uses common matching transitions handing due
-- The shopper ends the conversation. Once more is harmless.
--
-- ARGV[3] conversation
-- value   the record, or refused: no_conversation
local talk = read(ARGV[3])
if not talk then return answer(refused('no_conversation')) end
if talk.state == 'active' then
  notice(talk, 'left')
  wrap_up(talk, 'ended')
elseif talk.state ~= 'wrap-up' and talk.state ~= 'closed' then
  give_up(talk, 'ended')
end
return answer(view(talk))
