-- uses common matching transitions handing due
-- An agent pulls a waiting conversation that fits them; a supervisor any, also one that is with somebody. It is theirs at
-- once. Once more is harmless.
--
-- ARGV[3] login  ARGV[4] conversation  ARGV[5] "1": any, "": only what waits and fits
-- value   the record, or refused: no_conversation, forbidden (does not fit), too_late, full
local login, cid, any = ARGV[3], ARGV[4], ARGV[5] == '1'
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.agent == login and talk.state == 'active' then return answer(view(talk)) end
if talk.to == login then
  hand_over(talk)
  return answer(view(talk))
end
local a, own = agent(login), talk.agent == login and talk.state == 'ringing'
if not any and not own and not fits(a, talk.sig) then return answer(refused('forbidden')) end
if not (own or talk.state == 'waiting' or any and (talk.state == 'ringing' or talk.state == 'active')) then
  return answer(refused('too_late'))
end
local has_slot = own or a.load < a.capacity
if not a.there or not has_slot then return answer(refused('full')) end
local why, was = reason(talk, login, 'taken'), nil
if talk.state == 'active' then
  was = leave_agent(talk)
elseif talk.state == 'ringing' then
  was = take_back(talk, 'cancelled')
else
  call('ZREM', P .. 'line:' .. talk.sig, cid)
  disarm('again', cid)
end
begin(talk, login, why)
if was and was ~= login then serve(was) end
return answer(view(talk))
