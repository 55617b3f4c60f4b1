-- uses common matching transitions
-- The agent says whether they take conversations. Whoever leaves gives back what rings, not counted as missed.
--
-- ARGV[3] login  ARGV[4] available, away or break
-- value   true
local login, presence = ARGV[3], ARGV[4]
if call('HGET', P .. 'agent:' .. login, 'presence') ~= presence then set_presence(login, presence, '') end
if presence == 'available' then
  serve(login)
else
  for _, talk in ipairs(busy(login)) do
    if talk.state == 'ringing' then pass_on(talk, 'cancelled') end
  end
end
return answer(true)
