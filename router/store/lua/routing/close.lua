-- uses common matching transitions handing due
-- The agent ends the talk, or says what became of one that ended without them. The same once more is harmless.
--
-- ARGV[3] login  ARGV[4] conversation  ARGV[5] disposition  ARGV[6] note ("": as it was)
-- ARGV[7] what was filled in, JSON
-- value   the record, or refused: no_conversation, not_yours, too_late
local login, cid, disposition, note = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local talk = read(cid)
if not talk then return answer(refused('no_conversation')) end
if talk.agent ~= login then return answer(refused('not_yours')) end
if talk.disposition ~= '' and talk.disposition ~= disposition then return answer(refused('too_late')) end
if talk.state == 'ringing' then return answer(refused('too_late')) end
local open = talk.disposition == ''
write(talk, {
  disposition = disposition, note = note ~= '' and note or talk.note, fields = ARGV[7],
})
if talk.state == 'active' then
  notice(talk, 'closed')
  wrap_up(talk, 'closed')
elseif open and talk.state == 'wrap-up' then
  finish(talk, talk['end'])
elseif open then
  call('ZADD', P .. 'unkept', now, talk.cid)
  tell('disposed', talk)
end
return answer(view(talk))
