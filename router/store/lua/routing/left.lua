-- uses common matching transitions handing due
-- A shopper leaves a message; a conversation of theirs that still waits ends with it. The same one again is harmless.
--
-- ARGV[3] id  ARGV[4] queue  ARGV[5] conversation or ""  ARGV[6] due, ms  ARGV[7] session, ARGV[8] messages an hour it may leave
-- ARGV[9..] names and values: name, contact, text, language, page, visitor
-- value   when it is due, or refused: blocked, too_many, overloaded (the worklist is full)
local id, cid = ARGV[3], ARGV[5]
local known = call('HGET', P .. 'left:' .. id, 'due')
if known then return answer(tonumber(known)) end
if is_blocked(ARGV[7]) then return answer(refused('blocked')) end
if call('ZCARD', P .. 'left') >= LEFT_MOST then return answer(refused('overloaded')) end
local count = P .. 'leaves:' .. ARGV[7]
if call('INCR', count) > tonumber(ARGV[8]) then return answer(refused('too_many')) end
call('EXPIRE', count, 3600, 'NX')
leave_message(id, ARGV[4], cid, tonumber(ARGV[6]), {unpack(ARGV, 9)})
local talk = cid ~= '' and read(cid)
if talk and (talk.state == 'opened' or talk.state == 'waiting' or talk.state == 'ringing' or talk.state == 'away') then
  give_up(talk, 'message')
end
return answer(tonumber(ARGV[6]))
