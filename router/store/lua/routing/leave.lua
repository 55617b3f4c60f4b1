-- uses common matching transitions handing due
-- A socket of an agent is gone. With the last one the agent is.
--
-- ARGV[3] login  ARGV[4] socket
-- value   true
local login, socket = ARGV[3], ARGV[4]
local sockets = P .. 'sockets:' .. login
if call('ZREM', sockets, socket) == 1 and call('EXISTS', sockets) == 0 then agent_gone(login) end
return answer(true)
