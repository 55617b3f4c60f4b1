-- uses common matching transitions handing due
-- Add an agent, or replace what is said of one; presence and conversations stay. More slots begin to
-- ring with the next script of a node, which can pass that on.
--
-- ARGV[3] login  ARGV[4..] pairs of field and value: queues and skills as ",a,b,"
-- value   true
local login = ARGV[3]
local function all_slots()
  local slots = {}
  for k = 1, agent(login).capacity do table.insert(slots, login .. '#' .. k) end
  return slots
end
local before = all_slots()
for _, sig in ipairs(call('SMEMBERS', P .. 'sigs')) do
  if #before > 0 then
    call('ZREM', P .. 'free:' .. sig, unpack(before))
    call('SREM', P .. 'staff:' .. sig, unpack(before))
  end
end
call('SADD', P .. 'agents', login)
call('HSET', P .. 'agent:' .. login, unpack(ARGV, 4))
call('DEL', P .. 'fits:' .. login)
for _, sig in ipairs(call('SMEMBERS', P .. 'sigs')) do learn(login, sig) end
touch('agents', login)
arm('serve', login, 1) -- long due, on whatever clock
return answer(true)
