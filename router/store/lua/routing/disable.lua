-- uses common matching transitions handing due
-- Let an agent in no more, or again. Whoever is disabled is gone at once: what rings goes on, talks go to the front of
-- their lines, and their consoles close when they look.
--
-- ARGV[3] login  ARGV[4] "1": disabled, "": not
-- value   true, or refused: not_found
local login = ARGV[3]
if call('SISMEMBER', P .. 'agents', login) == 0 then return answer(refused('not_found')) end
call('HSET', P .. 'agent:' .. login, 'disabled', ARGV[4])
if ARGV[4] == '1' then
  call('DEL', P .. 'sockets:' .. login)
  disarm('lease', login)
  disarm('lost', login)
  give_back(login)
  agent_lost(login)
  set_presence(login, 'away', 'disabled')
end
touch('agents', login)
return answer(true)
