-- uses common matching transitions handing due
-- Nothing new, but what is due; and the site at a glance.
--
-- ARGV[3..] the site's queues, which are looked at even if nobody has asked for them yet
-- value   [[signature, free slots, waiting, pace in ms, slots on duty], ...]
-- lines   also those that have stood in the outbox for 2 s: whoever wrote them may be dead
for i = 3, #ARGV do register(ARGV[i] .. '|') end
for _, line in ipairs(call('ZRANGEBYSCORE', P .. 'outbox', '-inf', now - 2000, 'LIMIT', 0, 16)) do
  table.insert(lines, line)
end
local glance = {}
for _, sig in ipairs(call('SMEMBERS', P .. 'sigs')) do
  local queue = home(sig)
  table.insert(glance, {
    sig, call('ZCARD', P .. 'free:' .. sig), call('ZCARD', P .. 'line:' .. sig),
    math.floor(tonumber(call('HGET', P .. 'pace', queue) or 0)), call('SCARD', P .. 'staff:' .. sig),
  })
end
return answer(glance)
