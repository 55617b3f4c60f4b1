-- uses common matching transitions handing due
-- The agent passes a talk to a queue: their slot is free at once, the conversation keeps its age, and whoever has it next
-- sees the note.
--
-- ARGV[3] sender  ARGV[4] conversation  ARGV[5] note  ARGV[6] terms, JSON (as in open.lua)
-- value   true, or refused: no_conversation, not_yours, too_late (not active)
local login, cid, terms = ARGV[3], ARGV[4], cjson.decode(ARGV[6])
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.agent ~= login then return answer(refused('not_yours')) end
if talk.state ~= 'active' then return answer(refused('too_late')) end
leave_agent(talk)
tell('requeued', talk, login)
set_terms(talk, terms)
write(talk, {
  tried = ',' .. login .. ',', handed_note = ARGV[5], handed_by = call('HGET', P .. 'agent:' .. login, 'name') or '',
})
wait_again(talk)
serve(login)
if talk.state == 'waiting' then notice(talk, 'waiting') end
return answer(true)
