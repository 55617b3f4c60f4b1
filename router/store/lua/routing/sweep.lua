-- uses common matching transitions handing due
-- Nothing new, but what is due; and the site at a glance.
--
-- ARGV[3..] the site's queues, which are looked at even if nobody has asked for them yet
-- value   [[signature, free slots, waiting, pace in ms, slots on duty], ...]; of those with skills only how many wait
-- lines   also those that have stood in the outbox for 2 s: whoever wrote them may be dead
for i = 3, #ARGV do register(ARGV[i] .. '|') end
for _, line in ipairs(call('ZRANGEBYSCORE', P .. 'outbox', '-inf', now - 2000, 'LIMIT', 0, 16)) do
  table.insert(lines, line)
end
local glance = {}
for _, sig in ipairs(call('SMEMBERS', P .. 'sigs')) do
  local row = {sig, 0, call('ZCARD', P .. 'line:' .. sig), 0, 0}
  if sig == '' or string.sub(sig, -1) == '|' then
    row[2] = call('ZCARD', P .. 'free:' .. sig)
    row[4] = math.floor(tonumber(call('HGET', P .. 'pace', home(sig)) or 0))
    row[5] = call('SCARD', P .. 'staff:' .. sig)
  end
  table.insert(glance, row)
end
return answer(glance)
