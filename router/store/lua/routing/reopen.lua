-- uses common matching transitions handing due
-- The shopper writes in a talk that was parked: it goes on, with the agent it was with if they can take it, else at the
-- front of its line. Of any other conversation nothing changes.
--
-- ARGV[3] conversation  ARGV[4] how long it lives unseen, ms (0: for ever)
-- ARGV[5] when its queue closes, ms (0: it does not, -1: it is closed, and the shopper may only leave a message)
-- value   the record, or refused: no_conversation
local talk, lease = read(ARGV[3]), tonumber(ARGV[4])
if not talk then return answer(refused('no_conversation')) end
if talk.state ~= 'closed' or talk['end'] ~= 'parked' then return answer(view(talk)) end
local before, closes = talk.agent, tonumber(ARGV[5])
if closes < 0 then
  write(talk, {['end'] = 'unanswered'})
  return answer(view(talk))
end
call('PERSIST', P .. 'talk:' .. talk.cid)
call('ZREM', P .. 'unkept', talk.cid)
write(talk, {
  ['end'] = '', closed = 0, agent = '', accepted = 0, disposition = '', present = '1', tried = '', place = talk.opened - FRONT,
})
if closes > 0 then arm('close', talk.cid, closes) end
if lease > 0 then arm('seen', talk.cid, now + lease) end
tell('reopened', talk)
if can_take(before) then
  write(talk, {state = 'waiting'})
  ring(talk, before, 'again')
else
  line_up(talk)
end
if talk.state == 'waiting' then
  arm_step(talk)
  notice(talk, 'waiting')
end
return answer(view(talk))
