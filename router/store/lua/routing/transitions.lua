-- A conversation's transitions, and the deadlines that bring them about; stands behind matching.lua.
-- Ends by settling what is due, so every script that uses it acts on what is true now; only who asks as no node,
-- and so could not pass on what came of it, settles nothing.

-- The ring is over; what becomes of the conversation is the caller's. Answers who was rung.
local function take_back(talk, why)
  local login = talk.agent
  call('SREM', P .. 'busy:' .. login, talk.cid)
  disarm('ring', talk.cid)
  write(talk, {over = why, over_of = login, deadline = 0})
  tell(why, talk, login)
  write(talk, {agent = ''})
  index(login)
  return login
end

local function pass_on(talk, why)
  local login = take_back(talk, why)
  line_up(talk)
  serve(login)
end

local function missed(talk)
  local login = talk.agent
  local count = call('HINCRBY', P .. 'agent:' .. login, 'missed', 1)
  take_back(talk, 'missed')
  if count >= MISSES then set_presence(login, 'away', 'missed_rings') end
  line_up(talk)
  serve(login)
end

local function drop_hold(did)
  local sig = call('GETDEL', P .. 'hold:' .. did)
  disarm('hold', did)
  if sig then
    for _, level in ipairs({'', string.match(sig, '^[^|]*|'), sig}) do
      call('ZREM', P .. 'holds:' .. level, did)
    end
  end
end

local function keep_pace(talk)
  if tonumber(talk.accepted) > 0 then
    local lasted, before = now - talk.accepted, call('HGET', P .. 'pace', talk.queue)
    call('HSET', P .. 'pace', talk.queue, before and before * 0.8 + lasted * 0.2 or lasted)
  end
end

-- The end: its slot is free, and pulls. The record stays a day for those who come back to read.
local function finish(talk, how)
  local login = talk.agent
  for _, kind in ipairs({'again', 'ring', 'away', 'wrap', 'seen'}) do disarm(kind, talk.cid) end
  call('ZREM', P .. 'line:' .. talk.sig, talk.cid)
  write(talk, {state = 'closed', ['end'] = how, closed = now, deadline = 0})
  call('EXPIRE', P .. 'talk:' .. talk.cid, RECORD_TTL_S)
  tell('closed', talk)
  if login ~= '' then
    call('SREM', P .. 'busy:' .. login, talk.cid)
    call('HSET', P .. 'agent:' .. login, 'idle', now)
    keep_pace(talk)
    index(login)
    serve(login)
  end
end

-- The talk is over; the slot stays taken while the agent writes it up.
local function wrap_up(talk, how)
  disarm('away', talk.cid)
  if tonumber(talk.wrap_ms) == 0 then return finish(talk, how) end
  local deadline = now + talk.wrap_ms
  write(talk, {state = 'wrap-up', ['end'] = how, deadline = deadline})
  arm('wrap', talk.cid, deadline)
  tell('wrap-up', talk)
end

local function shopper_gone(talk)
  if talk.present == '0' or talk.state == 'closed' then return end
  disarm('seen', talk.cid)
  local was = talk.state
  write(talk, {present = '0'})
  if was == 'active' then
    arm('away', talk.cid, now + PARK_MS)
  elseif was == 'waiting' or was == 'ringing' then
    local login = was == 'ringing' and take_back(talk, 'cancelled')
    call('ZREM', P .. 'line:' .. talk.sig, talk.cid)
    disarm('again', talk.cid)
    arm('away', talk.cid, now + AWAY_MS)
    write(talk, {state = 'away', tried = ''})
    if login then serve(login) end
  end
  tell('shopper_gone', talk)
end

-- No socket of the agent is left: what rings goes on at once, what is talked about waits a while for them.
local function agent_gone(login)
  disarm('lease', login)
  arm('lost', login, now + LOST_MS)
  index(login)
  table.insert(events, {kind = 'agent_gone', agent = login, at_ms = now})
  for _, talk in ipairs(busy(login)) do
    if talk.state == 'ringing' then pass_on(talk, 'cancelled') end
  end
end

-- The agent did not come back: the conversation goes to the front of its line, and the shopper is told.
local function lose(talk)
  call('SREM', P .. 'busy:' .. talk.agent, talk.cid)
  tell('agent_lost', talk)
  notice(talk, 'agent_lost')
  write(talk, {place = talk.opened - FRONT, tried = '', accepted = 0})
  if talk.present == '1' then
    line_up(talk)
  else
    write(talk, {state = 'away', agent = ''})
  end
end

local function agent_lost(login)
  set_presence(login, 'away', 'lost')
  for _, talk in ipairs(busy(login)) do
    if talk.state == 'active' then lose(talk) end
  end
  index(login)
end

-- deadlines that have come ---------------------------------------------------------------------------------

local settlers = {
  hold = drop_hold,
  lost = agent_lost,
  lease = function(login)
    call('ZREMRANGEBYSCORE', P .. 'sockets:' .. login, '-inf', now)
    local rest = call('ZRANGE', P .. 'sockets:' .. login, 0, 0, 'WITHSCORES')
    if #rest == 0 then agent_gone(login) else arm('lease', login, rest[2]) end
  end,
  ring = function(cid) missed(read(cid)) end,
  again = function(cid)
    local talk = read(cid)
    write(talk, {tried = ''})
    offer(talk)
  end,
  wrap = function(cid)
    local talk = read(cid)
    finish(talk, talk['end'])
  end,
  away = function(cid)
    local talk = read(cid)
    if talk.state == 'active' then
      notice(talk, 'closed')
      finish(talk, 'parked')
    else
      finish(talk, 'abandoned')
    end
  end,
  seen = function(cid) shopper_gone(read(cid)) end,
  serve = serve,
}

local function settle()
  for _ = 1, SETTLED do
    local first = call('ZRANGEBYSCORE', P .. 'due', '-inf', now, 'LIMIT', 0, 1)[1]
    if not first then return end
    call('ZREM', P .. 'due', first)
    local kind, id = string.match(first, '^(%a+)|(.*)$')
    settlers[kind](id)
  end
end

if NODE ~= '' then settle() end

