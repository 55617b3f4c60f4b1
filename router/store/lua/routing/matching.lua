-- Who rings for whom; stands behind common.lua, whose header names the keys.

-- Why this agent: kind (free, freed, transfer, assigned, taken), relaxation step, ms waited, load before it, ms idle,
-- and the skills that were asked for.
local function reason(talk, login, kind)
  local a = agent(login)
  return cjson.encode({
    kind, tonumber(talk.step), now - talk.opened, a.load, now - a.idle, string.match(talk.sig, '|(.*)$'),
  })
end

local function ring(talk, login, kind)
  local why = reason(talk, login, kind)
  local tried = talk.tried == '' and ',' or talk.tried
  local deadline = now + talk.ring_ms
  call('ZREM', P .. 'line:' .. talk.sig, talk.cid)
  call('SADD', P .. 'busy:' .. login, talk.cid)
  disarm('again', talk.cid)
  arm('ring', talk.cid, deadline)
  write(talk, {state = 'ringing', agent = login, deadline = deadline, tried = tried .. login .. ',', why = why})
  index(login)
  tell('ringing', talk)
end

-- The free agent for this conversation: least load, then best level, then longest idle, among those not yet tried.
-- Looks at AGENTS slots at most; those it was tried with are asked again after a rest.
local function candidate(talk)
  for _, slot in ipairs(call('ZRANGE', P .. 'free:' .. talk.sig, 0, AGENTS - 1)) do
    local login = string.match(slot, '^(.*)#')
    if not has(talk.tried, login) then return login end
  end
end

local function offer(talk)
  local login = candidate(talk)
  if login then ring(talk, login, 'free') end
end

-- The first in one line whom this agent has not been tried for: the conversation and its place. Looks at HEADS at most.
local function head(sig, login)
  local page = call('ZRANGE', P .. 'line:' .. sig, 0, HEADS - 1, 'WITHSCORES')
  for i = 1, #page, 2 do
    if not has(call('HGET', P .. 'talk:' .. page[i], 'tried') or '', login) then
      return page[i], tonumber(page[i + 1])
    end
  end
end

-- A free slot takes the best waiting conversation at once, as long as there are both.
local function serve(login)
  local a = agent(login)
  if a.presence == 'last_chat' and a.load == 0 then return set_presence(login, 'away', '') end
  if not on_duty(a) or a.load >= a.capacity then return end
  local sigs = call('HKEYS', P .. 'fits:' .. login)
  for _ = a.load + 1, a.capacity do
    local best, place
    for _, sig in ipairs(sigs) do
      local cid, score = head(sig, login)
      if cid and (not place or score < place) then best, place = cid, score end
    end
    if not best then return end
    ring(read(best), login, 'freed')
  end
end

-- Into the line at its own place. Those it was tried with may be asked again after a rest.
local function line_up(talk)
  call('ZADD', P .. 'line:' .. talk.sig, talk.place, talk.cid)
  write(talk, {state = 'waiting', agent = '', deadline = 0})
  if talk.tried ~= '' then arm('again', talk.cid, now + REST_MS) end
  offer(talk)
end

-- The next step of its queue asks for less, or asks more queues; it comes while nobody has answered.
local function arm_step(talk)
  local steps, step = cjson.decode(talk.steps), tonumber(talk.step) + 1
  if steps[step + 1] then arm('step', talk.cid, now + steps[step + 1][1] - steps[step][1]) end
end

-- What the conversation asks for from now on: the terms of its queue.
local function set_terms(talk, terms)
  local sig = terms.steps[1][2]
  register(sig)
  write(talk, {
    queue = terms.queue, ring_ms = terms.ring_ms, wrap_ms = terms.wrap_ms, reply_ms = terms.reply_ms,
    place = talk.opened - terms.priority_ms, sig = sig, step = 0, steps = cjson.encode(terms.steps),
  })
  arm_step(talk)
  if terms.closes > 0 then arm('close', talk.cid, terms.closes) else disarm('close', talk.cid) end
end

local function next_step(talk)
  local step = tonumber(talk.step) + 1
  local sig = cjson.decode(talk.steps)[step + 1][2]
  register(sig)
  local waits = call('ZREM', P .. 'line:' .. talk.sig, talk.cid) == 1
  write(talk, {sig = sig, step = step})
  arm_step(talk)
  tell('step', talk)
  if waits then
    call('ZADD', P .. 'line:' .. sig, talk.place, talk.cid)
    offer(talk)
  end
end

