-- uses common matching transitions handing due
-- A supervisor lets a conversation ring for one agent, whatever they are skilled in: a waiting one, one that rings
-- elsewhere, or as a transfer one that is active with another.
--
-- ARGV[3] supervisor  ARGV[4] conversation  ARGV[5] to whom
-- value   true, or refused: no_conversation, too_late (neither of these states), full (not on duty, or no free slot)
local cid, to = ARGV[4], ARGV[5]
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
local open = talk.state == 'waiting' or talk.state == 'ringing' or talk.state == 'active'
if not open then return answer(refused('too_late')) end
if talk.agent == to or talk.to == to then return answer(true) end
if not can_take(to) then return answer(refused('full')) end
if talk.state == 'active' then
  hand(talk, to, call('HGET', P .. 'agent:' .. ARGV[3], 'name') or '', '', 'assigned')
else
  local was = talk.state == 'ringing' and take_back(talk, 'cancelled')
  ring(talk, to, 'assigned')
  if was then serve(was) end
end
return answer(true)
