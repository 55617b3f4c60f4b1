-- uses common matching transitions handing due
-- The first message of a conversation that was only opened: it goes into the line of the queue that it is for. Of any other
-- nothing changes.
--
-- ARGV[3] conversation  ARGV[4] terms, JSON (as in open.lua); "": those it was opened with
-- value   the record, or refused: no_conversation
local talk = read(ARGV[3])
if not talk then return answer(refused('no_conversation')) end
if talk.state == 'opened' then
  yield_slot(talk)
  if ARGV[4] ~= '' then set_terms(talk, cjson.decode(ARGV[4])) else arm_step(talk) end
  tell('routed', talk)
  line_up(talk)
  if talk.state == 'waiting' then notice(talk, 'waiting') end
end
return answer(view(talk))
