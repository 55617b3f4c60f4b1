-- What every routing script shares: it stands in front of each, with matching, transitions, handing and due.lua behind it.
--
-- KEYS[1]  the site's routing prefix `r:{site}:`; every key named below stands behind it, all in one slot
-- KEYS[2]  the site's wake channel
-- ARGV[1]  now in ms; 0: the server's own TIME
-- ARGV[2]  the node that asks, so that it can tell its own wakes; "": none
-- ARGV[3]  and on: the script's own
-- answer   msgpack [now, next deadline or 0, value, events, system lines, touched conversations, touched agents]
--
-- agents            set of logins
-- agent:<login>     hash: queues as ",a,b,", skills as ",a:4,b,", capacity, presence, reason, missed, idle, name,
--                   disabled ("1": let in no more) ...
-- sockets:<login>   sorted set of an agent's sockets by the end of their lease; none: the agent is not there
-- busy:<login>      set of the conversations that occupy the agent's slots: its size is the load
-- fits:<login>      hash: the signatures that an agent fits -> how well; what is indexed of them, and nothing else
-- of:<queue>        set of the signatures of a queue
-- sigs              set of signatures ever asked for: "" (the site), "queue|", "queue+overflow|skill,skill:level"
-- free:<sig>        sorted set of free slots "login#k", by load at that slot, level, idle since
-- staff:<sig>       set of all slots of agents on duty
-- line:<sig>        sorted set of waiting conversations by place: the moment of opening, front ones 1e12 before it
-- holds:<sig>       sorted set of open invites by expiry; hold:<did> the signature, with a TTL
-- sure:<sig>        sorted set of conversations not yet begun that a slot is held for, by the end of that; TTL 1 min
-- talk:<cid>        hash: the conversation's record; TTL 24 h once it is closed
-- left              sorted set of open left messages by due moment, LEFT_MOST of shoppers' own
-- left:<id>         hash: the message (core.left), TTL 90 days; leaves:<session> counts those of an hour
-- unkept            sorted set of ended conversations not known to be written down, by their end
-- blocked           sorted set of sessions and visitors that reach nobody, by the end of that
-- blocks            hash conversation -> JSON {ids, by, name, reason, until, at, who}: why they are blocked; BLOCKS_MOST
-- pace              hash queue -> ms that conversations of it have occupied a slot lately
-- due               sorted set of "kind|id" by deadline
-- outbox            sorted set of system lines not known to be stored yet, by birth
local P, CHANNEL, NODE = KEYS[1], KEYS[2], ARGV[2]
local AWAY_MS, PARK_MS, LOST_MS, REST_MS = 180000, 600000, 45000, 10000
local BLOCKS_MOST = 1000
local KEEN_MS = 60000 -- since the last keystroke of who has asked for a person and not yet written
local LEFT_TTL_S, LEFT_MOST = 90 * 86400, 1000
local RECORD_TTL_S, FRONT, SETTLED, AGENTS, HEADS, MISSES, BEST = 86400, 1e12, 4, 32, 8, 2, 5
local LEARNED = 50 -- agents a script that meets a new signature

local call = redis.call
local now = tonumber(ARGV[1])
if now == 0 then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local events, lines = {}, {}
local touched = {talks = {}, agents = {}}
local seen = {}

local function touch(kind, id)
  if id ~= '' and not seen[kind .. id] then
    seen[kind .. id] = true
    table.insert(touched[kind], id)
  end
end

local function record(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

local function has(list, name) return string.find(list or '', ',' .. name .. ',', 1, true) ~= nil end

local function is_blocked(id)
  return id ~= '' and tonumber(call('ZSCORE', P .. 'blocked', id) or 0) > now
end

-- deadlines ------------------------------------------------------------------------------------------------

local function arm(kind, id, moment) call('ZADD', P .. 'due', moment, kind .. '|' .. id) end
local function disarm(kind, id) call('ZREM', P .. 'due', kind .. '|' .. id) end

-- conversations --------------------------------------------------------------------------------------------

local function read(cid)
  local flat = call('HGETALL', P .. 'talk:' .. cid)
  if #flat == 0 then return nil end
  local talk = record(flat)
  talk.cid = cid
  return talk
end

local function write(talk, changes)
  local flat = {}
  for name, value in pairs(changes) do
    talk[name] = value
    table.insert(flat, name)
    table.insert(flat, value)
  end
  call('HSET', P .. 'talk:' .. talk.cid, unpack(flat))
  touch('talks', talk.cid)
  touch('agents', talk.agent)
end

-- A slot is held for who has asked and not yet written, as long as they seem about to.
local function keep_slot(talk)
  local key = P .. 'sure:' .. talk.sig
  call('ZADD', key, now + KEEN_MS, talk.cid)
  call('PEXPIRE', key, KEEN_MS)
end

local function yield_slot(talk) call('ZREM', P .. 'sure:' .. talk.sig, talk.cid) end

-- One transition for the journal.
local function tell(kind, talk, login)
  table.insert(events, {
    kind = kind, cid = talk.cid, at_ms = now, queue = talk.queue, agent = login or talk.agent,
    opened_ms = tonumber(talk.opened), state = talk.state, disposition = talk.disposition, ['end'] = talk['end'],
    why_agent = talk.why,
  })
end

-- A system line belongs to the conversation's own slot: it is remembered here until it is known to be there.
local function notice(talk, text, name)
  local n = call('HINCRBY', P .. 'talk:' .. talk.cid, 'notices', 1)
  local line = cjson.encode({talk.cid, 'system-' .. n, text, name or '', now})
  call('ZADD', P .. 'outbox', now, line)
  table.insert(lines, line)
end

-- agents ---------------------------------------------------------------------------------------------------

-- The level of each skill; one that says none is in the middle.
local function levels(skills)
  local known = {}
  for name, level in string.gmatch(skills, '([^,:]+):?(%d*)') do known[name] = tonumber(level) or 3 end
  return known
end

local function agent(login)
  local flat = call('HMGET', P .. 'agent:' .. login, 'queues', 'skills', 'capacity', 'presence', 'idle', 'missed')
  return {
    queues = flat[1] or '', skills = levels(flat[2] or ''), capacity = tonumber(flat[3] or 0),
    presence = flat[4] or 'away', idle = tonumber(flat[5] or 0), missed = tonumber(flat[6] or 0),
    there = call('EXISTS', P .. 'sockets:' .. login) == 1, load = call('SCARD', P .. 'busy:' .. login),
  }
end

-- The conversations that occupy the agent's slots, those that wait longest first.
local function busy(login)
  local talks = {}
  for _, cid in ipairs(call('SMEMBERS', P .. 'busy:' .. login)) do table.insert(talks, read(cid)) end
  table.sort(talks, function(a, b)
    if a.place == b.place then return a.cid < b.cid end
    return tonumber(a.place) < tonumber(b.place)
  end)
  return talks
end

local function on_duty(a) return a.there and a.presence == 'available' end

-- The queue a signature belongs to; further ones may serve it after a wait.
local function home(sig) return string.match(sig, '^[^|+]*') end

-- How well an agent fits: the lowest of their levels in what is asked for, BEST if nothing is; nil if they do not.
local function fits(a, sig)
  if sig == '' then return BEST end
  local queues, skills = string.match(sig, '^([^|]*)|(.*)$')
  local serves, lowest = false, BEST
  for queue in string.gmatch(queues, '[^+]+') do serves = serves or has(a.queues, queue) end
  if not serves then return nil end
  for name, least in string.gmatch(skills, '([^,:]+):?(%d*)') do
    local level = a.skills[name]
    if not level or level < (tonumber(least) or 1) then return nil end
    lowest = math.min(lowest, level)
  end
  return lowest
end

-- The agent's slots: all of them, and those that are not free.
local function slots(login, a)
  local all, taken = {}, {}
  for k = 1, a.capacity do
    table.insert(all, login .. '#' .. k)
    if not on_duty(a) or k <= a.load then table.insert(taken, login .. '#' .. k) end
  end
  return all, taken
end

local function index_one(a, sig, level, all, taken)
  if #taken > 0 then call('ZREM', P .. 'free:' .. sig, unpack(taken)) end
  local free = {}
  for k = #taken + 1, #all do
    table.insert(free, (k - 1) * 1e14 + (BEST - level) * 1e13 + a.idle)
    table.insert(free, all[k])
  end
  if #free > 0 then call('ZADD', P .. 'free:' .. sig, unpack(free)) end
end

local function index_duty(a, sig, all)
  call(on_duty(a) and 'SADD' or 'SREM', P .. 'staff:' .. sig, unpack(all))
end

-- Bring the agent's slots in every index to what they are now; `duty`: whether they are on duty may have changed too.
local function index(login, duty)
  local a = agent(login)
  local all, taken = slots(login, a)
  local fitting = call('HGETALL', P .. 'fits:' .. login)
  for i = 1, #all > 0 and #fitting or 0, 2 do
    index_one(a, fitting[i], tonumber(fitting[i + 1]), all, taken)
    if duty then index_duty(a, fitting[i], all) end
  end
  touch('agents', login)
end

-- An agent meets a signature for the first time.
local function learn(login, sig)
  local a = agent(login)
  local level = fits(a, sig)
  if not level then return end
  call('HSET', P .. 'fits:' .. login, sig, level)
  local all, taken = slots(login, a)
  if #all == 0 then return end
  index_one(a, sig, level, all, taken)
  index_duty(a, sig, all)
end

local function set_presence(login, presence, reason)
  call('HSET', P .. 'agent:' .. login, 'presence', presence, 'reason', reason, 'missed', 0, 'idle', now)
  index(login, true)
  table.insert(events, {kind = 'presence', agent = login, at_ms = now, state = presence, reason = reason})
end

-- So many agents from `first` on meet a signature; the rest in due time, so that no script takes long.
local function meet(sig, first)
  local logins = call('SORT', P .. 'agents', 'ALPHA', 'LIMIT', first, LEARNED)
  for _, login in ipairs(logins) do learn(login, sig) end
  if #logins == LEARNED then arm('meet', sig .. ' ' .. first + LEARNED, 1) end
  return #logins < LEARNED
end

-- A signature that was never asked for gets its indexes; the wider ones stand above it.
local function register(sig)
  for _, level in ipairs({'', home(sig) .. '|', sig}) do
    if call('SADD', P .. 'sigs', level) == 1 then
      if level ~= '' then call('SADD', P .. 'of:' .. home(level), level) end
      meet(level, 0)
    end
  end
end

-- answers --------------------------------------------------------------------------------------------------

-- The record with what is only true at this moment: the place in line, and what a wait can be reckoned from.
local function view(talk)
  if talk.state == 'waiting' then
    local ahead = 0
    for _, sig in ipairs(call('SMEMBERS', P .. 'of:' .. home(talk.sig))) do
      ahead = ahead + call('ZCOUNT', P .. 'line:' .. sig, '-inf', string.format('(%.0f', talk.place))
    end
    talk.position = ahead + 1
    talk.pace = call('HGET', P .. 'pace', talk.queue) or 0
    talk.staffed = call('SCARD', P .. 'staff:' .. talk.sig)
  end
  if talk.agent ~= '' then talk.agent_name = call('HGET', P .. 'agent:' .. talk.agent, 'name') or '' end
  return talk
end

local function refused(name) return {refused = name} end

local function answer(value)
  if #touched.talks + #touched.agents > 0 then
    call('SPUBLISH', CHANNEL, cmsgpack.pack({NODE, touched.talks, touched.agents}))
  end
  local first = call('ZRANGE', P .. 'due', 0, 0, 'WITHSCORES')
  return cmsgpack.pack({
    now, tonumber(first[2] or 0), value or false, events, lines, touched.talks, touched.agents,
  })
end

