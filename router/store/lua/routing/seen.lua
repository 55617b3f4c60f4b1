-- uses common matching transitions handing due
-- The shoppers of these conversations are there: those who were gone are back at their place, the others' leases
-- are renewed. Unknown and closed conversations are passed over.
--
-- ARGV[3] how long a conversation lives unseen, ms (0: for ever)  ARGV[4..] conversations
-- value   those of them that are open
local lease = tonumber(ARGV[3])
local open = {}
for i = 4, #ARGV do
  local talk = read(ARGV[i])
  if talk and talk.state ~= 'closed' then
    table.insert(open, talk.cid)
    if lease > 0 then arm('seen', talk.cid, now + lease) else disarm('seen', talk.cid) end
    if talk.present == '0' then
      disarm('away', talk.cid)
      write(talk, {present = '1'})
      tell('shopper_back', talk)
      if talk.state == 'away' then line_up(talk) end
    end
  end
end
return answer(open)
