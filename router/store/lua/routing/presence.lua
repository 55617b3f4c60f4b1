-- uses common matching transitions handing due
-- An agent takes conversations, or does not. Whoever leaves gives back what rings, not counted as missed; with last_chat
-- they are away once their last talk has ended.
--
-- ARGV[3] login  ARGV[4] available, away, break or last_chat  ARGV[5] reason ("": none)
-- value   true, or refused: not_found (an agent is not known)
local login, presence, why = ARGV[3], ARGV[4], ARGV[5]
local known = call('HMGET', P .. 'agent:' .. login, 'name', 'presence', 'reason')
if not known[1] then return answer(refused('not_found')) end
if known[2] ~= presence or (known[3] or '') ~= why then set_presence(login, presence, why) end
if presence ~= 'available' then give_back(login) end
serve(login)
return answer(true)
