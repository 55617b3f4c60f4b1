-- uses common matching transitions handing due
-- Admit an invite if, with it, more may accept than there are free slots only rarely. Idempotent by decision.
--
-- ARGV[3] decision  ARGV[4] signature  ARGV[5] expiry, ms
-- ARGV[6] msgpack: the most invites that may be open with 0, 1, 2, ... free slots (core.routing.invite_limits)
-- ARGV[7..] session and visitor
-- value   true or false
local did, sig, expires = ARGV[3], ARGV[4], tonumber(ARGV[5])
local limits = cmsgpack.unpack(ARGV[6])
local levels_above = {'', home(sig) .. '|', sig}

-- Whether those who wait by one signature, or are about to, wait for slots of the other.
local function under(level, sig)
  return level == '' or level == sig or level == home(sig) .. '|'
end

local waiting = {}

local function free_slots(level)
  local free = call('ZCARD', P .. 'free:' .. level)
  for other, count in pairs(waiting) do
    if under(level, other) then free = free - count end
  end
  return math.max(0, free)
end

local function limit(free)
  local last = #limits - 1
  if free <= last then return limits[free + 1] end
  return math.floor(limits[last + 1] * free / last)
end

if call('EXISTS', P .. 'hold:' .. did) == 1 then return answer(true) end
if expires <= now or is_blocked(ARGV[7]) or is_blocked(ARGV[8]) then return answer(false) end
register(sig)
for _, other in ipairs(call('SMEMBERS', P .. 'sigs')) do
  if other ~= '' then
    waiting[other] = call('ZCARD', P .. 'line:' .. other) + call('ZCOUNT', P .. 'sure:' .. other, '(' .. now, '+inf')
  end
end
-- The invite competes with all of its signature, of its queue and of the site: each has to have room.
for _, level in ipairs(levels_above) do
  call('ZREMRANGEBYSCORE', P .. 'holds:' .. level, '-inf', now)
  if call('ZCARD', P .. 'holds:' .. level) + 1 > limit(free_slots(level)) then return answer(false) end
end
for _, level in ipairs(levels_above) do call('ZADD', P .. 'holds:' .. level, expires, did) end
call('SET', P .. 'hold:' .. did, sig, 'EX', RECORD_TTL_S)
arm('hold', did, expires)
return answer(true)
