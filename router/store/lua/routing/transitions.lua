-- A conversation's transitions; stands behind matching.lua.

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

local function count_miss(login)
  if call('HINCRBY', P .. 'agent:' .. login, 'missed', 1) >= MISSES then
    set_presence(login, 'away', 'missed_rings')
  end
end

local function missed(talk)
  local login = take_back(talk, 'missed')
  count_miss(login)
  line_up(talk)
  serve(login)
end

-- A transfer rings no more: the conversation stays with its sender, with the note.
local function recall(talk, why)
  local login = talk.to
  if login == '' then return end
  disarm('pass', talk.cid)
  call('SREM', P .. 'busy:' .. login, talk.cid)
  write(talk, {to = '', over = why, over_of = login, deadline = 0})
  tell('transfer_' .. why, talk, login)
  if why == 'missed' then count_miss(login) end
  index(login)
  serve(login)
end

-- What rings for an agent goes on at once; not counted as missed.
local function give_back(login)
  for _, talk in ipairs(busy(login)) do
    if talk.to == login then
      recall(talk, 'cancelled')
    elseif talk.state == 'ringing' then
      pass_on(talk, 'cancelled')
    end
  end
end

local function drop_hold(did)
  local sig = call('GETDEL', P .. 'hold:' .. did)
  disarm('hold', did)
  if sig then
    for _, level in ipairs({'', home(sig) .. '|', sig}) do
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
  recall(talk, 'cancelled')
  for _, kind in ipairs({'again', 'ring', 'away', 'wrap', 'seen', 'step', 'close'}) do disarm(kind, talk.cid) end
  call('ZREM', P .. 'line:' .. talk.sig, talk.cid)
  yield_slot(talk)
  write(talk, {state = 'closed', ['end'] = how, closed = now, deadline = 0})
  call('EXPIRE', P .. 'talk:' .. talk.cid, RECORD_TTL_S)
  call('ZADD', P .. 'unkept', now, talk.cid)
  tell('closed', talk)
  if login ~= '' then
    call('SREM', P .. 'busy:' .. login, talk.cid)
    call('HSET', P .. 'agent:' .. login, 'idle', now)
    keep_pace(talk)
    index(login)
    serve(login)
  end
end

-- An item of the worklist: what a shopper left to be answered. `fields`: its names and values.
local function leave_message(id, queue, cid, due, fields)
  call('ZREMRANGEBYSCORE', P .. 'left', '-inf', now - LEFT_TTL_S * 1000) -- their records are gone
  call('HSET', P .. 'left:' .. id, 'at', now, 'due', due, 'queue', queue, 'cid', cid, unpack(fields))
  call('EXPIRE', P .. 'left:' .. id, LEFT_TTL_S)
  call('ZADD', P .. 'left', due, id)
  touch('talks', id)
  table.insert(events, {kind = 'message_left', message = id, queue = queue, left_by = cid, at_ms = now})
end

-- It ends before anybody has answered. What the shopper wrote meanwhile is left to be answered, unless they ended it.
local function give_up(talk, how)
  local login = talk.state == 'ringing' and take_back(talk, 'cancelled')
  finish(talk, how)
  if login then serve(login) end
  if talk.said == '1' and (how == 'abandoned' or how == 'unanswered') then
    leave_message(talk.cid, talk.queue, talk.cid, now + talk.reply_ms, {'language', talk.language})
  end
end

-- The talk is over; the slot stays taken while the agent writes it up.
local function wrap_up(talk, how)
  recall(talk, 'cancelled')
  disarm('away', talk.cid)
  if tonumber(talk.wrap_ms) == 0 then return finish(talk, how) end
  local deadline = now + talk.wrap_ms
  write(talk, {state = 'wrap-up', ['end'] = how, deadline = deadline})
  arm('wrap', talk.cid, deadline)
  tell('wrap-up', talk)
end

-- Back in line; a shopper who is away keeps the place.
local function wait_again(talk)
  if talk.present == '1' then
    line_up(talk)
  else
    write(talk, {state = 'away', agent = '', deadline = 0})
  end
end

local function shopper_gone(talk)
  if talk.present == '0' or talk.state == 'closed' then return end
  disarm('seen', talk.cid)
  local was = talk.state
  write(talk, {present = '0'})
  if was == 'active' then
    arm('away', talk.cid, now + PARK_MS)
  elseif was == 'opened' then
    yield_slot(talk)
    arm('away', talk.cid, now + AWAY_MS)
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
  index(login, true)
  table.insert(events, {kind = 'agent_gone', agent = login, at_ms = now})
  give_back(login)
end

-- The agent did not come back: the conversation goes to the front of its line, and the shopper is told.
local function lose(talk)
  recall(talk, 'cancelled')
  call('SREM', P .. 'busy:' .. talk.agent, talk.cid)
  tell('agent_lost', talk)
  notice(talk, 'agent_lost')
  write(talk, {place = talk.opened - FRONT, tried = '', accepted = 0})
  arm_step(talk)
  wait_again(talk)
end

local function agent_lost(login)
  set_presence(login, 'away', 'lost')
  for _, talk in ipairs(busy(login)) do
    if talk.state == 'active' then lose(talk) end
  end
  index(login)
end

