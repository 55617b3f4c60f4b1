-- uses common matching transitions handing due
-- The shoppers of these conversations are there: those who were gone are back at their place, the others' leases
-- are renewed. Unknown and closed conversations are passed over.
--
-- ARGV[3] how long a conversation lives unseen, ms (0: for ever)  ARGV[4..] conversations
-- value   those of them that are open
local lease = tonumber(ARGV[3])
local open = {}
for i = 4, #ARGV do
  local cid, state, present = ARGV[i], unpack(call('HMGET', P .. 'talk:' .. ARGV[i], 'state', 'present'))
  if state and state ~= 'closed' then
    table.insert(open, cid)
    if lease > 0 then arm('seen', cid, now + lease) else disarm('seen', cid) end
    if present == '0' then
      local talk = read(cid)
      disarm('away', talk.cid)
      write(talk, {present = '1'})
      tell('shopper_back', talk)
      if talk.state == 'away' then line_up(talk) end
    end
  end
end
return answer(open)
