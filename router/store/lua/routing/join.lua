-- uses common matching transitions handing due
-- Sockets of agents are there, for the length of a lease; called again to renew it. An agent who was away for a
-- moment is back, and free slots begin to ring. Sockets of who is disabled are passed over.
--
-- ARGV[3] lease, ms (0: until they leave)  ARGV[4..] pairs of login and socket
-- value   true, or refused: unauthorized (an agent is not known)
local lease = tonumber(ARGV[3])

local function come(login, socket)
  local sockets = P .. 'sockets:' .. login
  local was = call('EXISTS', sockets)
  call('ZADD', sockets, lease > 0 and now + lease or '+inf', socket)
  if lease > 0 then arm('lease', login, call('ZRANGE', sockets, 0, 0, 'WITHSCORES')[2]) end
  if was > 0 then return end
  disarm('lost', login)
  call('HSET', P .. 'agent:' .. login, 'idle', now)
  index(login, true)
  table.insert(events, {kind = 'agent_there', agent = login, at_ms = now})
  serve(login)
end

for i = 4, #ARGV, 2 do
  local login, socket = ARGV[i], ARGV[i + 1]
  if call('SISMEMBER', P .. 'agents', login) == 0 then return answer(refused('unauthorized')) end
  if call('HGET', P .. 'agent:' .. login, 'disabled') ~= '1' then come(login, socket) end
end
return answer(true)
