-- Who rings for whom; stands behind common.lua, whose header names the keys.

local function ring(talk, login)
  local tried = talk.tried == '' and ',' or talk.tried
  local deadline = now + talk.ring_ms
  call('ZREM', P .. 'line:' .. talk.sig, talk.cid)
  call('SADD', P .. 'busy:' .. login, talk.cid)
  disarm('again', talk.cid)
  arm('ring', talk.cid, deadline)
  write(talk, {state = 'ringing', agent = login, deadline = deadline, tried = tried .. login .. ','})
  index(login)
  tell('ringing', talk)
end

-- The free agent for this conversation: least load, then longest idle, among those not yet tried.
local function candidate(talk)
  local from = 0
  while true do
    local page = call('ZRANGE', P .. 'free:' .. talk.sig, from, from + PAGE - 1)
    for _, slot in ipairs(page) do
      local login = string.match(slot, '^(.*)#')
      if not has(talk.tried, login) then return login end
    end
    if #page < PAGE then return nil end
    from = from + PAGE
  end
end

local function offer(talk)
  local login = candidate(talk)
  if login then ring(talk, login) end
end

-- The first in one line whom this agent has not been tried for: the conversation and its place.
local function head(sig, login)
  local from = 0
  while true do
    local page = call('ZRANGE', P .. 'line:' .. sig, from, from + 7, 'WITHSCORES')
    for i = 1, #page, 2 do
      if not has(call('HGET', P .. 'talk:' .. page[i], 'tried') or '', login) then
        return page[i], tonumber(page[i + 1])
      end
    end
    if #page < 16 then return nil end
    from = from + 8
  end
end

-- A free slot takes the best waiting conversation at once, as long as there are both.
local function serve(login)
  local a = agent(login)
  if not on_duty(a) or a.load >= a.capacity then return end
  local sigs = call('SMEMBERS', P .. 'sigs')
  for _ = a.load + 1, a.capacity do
    local best, place
    for _, sig in ipairs(sigs) do
      if sig ~= '' and fits(a, sig) then
        local cid, score = head(sig, login)
        if cid and (not place or score < place) then best, place = cid, score end
      end
    end
    if not best then return end
    ring(read(best), login)
  end
end

-- Into the line at its own place. Those it was tried with may be asked again after a rest.
local function line_up(talk)
  call('ZADD', P .. 'line:' .. talk.sig, talk.place, talk.cid)
  write(talk, {state = 'waiting', agent = '', deadline = 0})
  if talk.tried ~= '' then arm('again', talk.cid, now + REST_MS) end
  offer(talk)
end

