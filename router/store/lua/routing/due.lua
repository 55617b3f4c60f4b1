-- Deadlines that have come, and who settles them; stands behind handing.lua.
-- Ends by settling what is due, so every script that uses it acts on what is true now; only who asks as no node,
-- and so could not pass on what came of it, settles nothing.

local settlers = {
  hold = drop_hold,
  lost = agent_lost,
  lease = function(login)
    call('ZREMRANGEBYSCORE', P .. 'sockets:' .. login, '-inf', now)
    local rest = call('ZRANGE', P .. 'sockets:' .. login, 0, 0, 'WITHSCORES')
    if #rest == 0 then agent_gone(login) else arm('lease', login, rest[2]) end
  end,
  ring = function(cid) missed(read(cid)) end,
  pass = function(cid) pass_missed(read(cid)) end,
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
      finish(talk, 'parked')
    else
      give_up(talk, 'abandoned')
    end
  end,
  close = function(cid) give_up(read(cid), 'unanswered') end,
  meet = function(rest)
    local sig, first = string.match(rest, '^(.*) (%d+)$')
    if not meet(sig, tonumber(first)) then return end
    for _, cid in ipairs(call('ZRANGE', P .. 'line:' .. sig, 0, HEADS - 1)) do offer(read(cid)) end
  end,
  step = function(cid) next_step(read(cid)) end,
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
    if kind == 'meet' then return end -- that is work for a whole script
  end
end

if NODE ~= '' then settle() end

