-- From one agent to another: transfers, and what supervisors do; stands behind transitions.lua.

-- The talk begins with this agent.
local function begin(talk, login, why)
  disarm('ring', talk.cid)
  disarm('step', talk.cid)
  disarm('close', talk.cid)
  local is_new = call('SADD', P .. 'busy:' .. login, talk.cid) == 1 -- what rang has its slot already
  call('HSET', P .. 'agent:' .. login, 'missed', 0)
  write(talk, {
    state = 'active', agent = login, accepted = now, deadline = 0, tried = '', over = 'accepted', over_of = login,
    why = why,
  })
  if is_new then index(login) end
  notice(talk, 'joined', call('HGET', P .. 'agent:' .. login, 'name') or '')
  tell('accepted', talk)
end

-- It leaves the agent it is active with, whose slot is free. Answers who that was.
local function leave_agent(talk)
  local login = talk.agent
  recall(talk, 'cancelled')
  call('SREM', P .. 'busy:' .. login, talk.cid)
  call('HSET', P .. 'agent:' .. login, 'idle', now)
  keep_pace(talk)
  write(talk, {agent = '', accepted = 0})
  index(login)
  return login
end

-- It rings for another agent; until they answer it stays with the one it is with.
local function hand(talk, login, from, note, kind)
  recall(talk, 'cancelled')
  local deadline, why = now + talk.ring_ms, reason(talk, login, kind)
  call('SADD', P .. 'busy:' .. login, talk.cid)
  arm('pass', talk.cid, deadline)
  write(talk, {to = login, to_why = why, deadline = deadline, handed_by = from, handed_note = note})
  index(login)
  tell('transfer', talk, login)
end

local function hand_over(talk)
  local login, why = talk.to, talk.to_why
  disarm('pass', talk.cid)
  write(talk, {to = ''})
  local sender = leave_agent(talk)
  begin(talk, login, why)
  serve(sender)
end

local function pass_missed(talk) recall(talk, 'missed') end

local function can_take(login)
  local a = agent(login)
  return on_duty(a) and a.load < a.capacity
end

