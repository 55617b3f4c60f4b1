-- uses common matching transitions handing due
-- An agent as they are now, with the conversations that occupy their slots, and further ones asked for by name.
--
-- ARGV[3] login  ARGV[4..] conversations
-- value   {presence, reason, capacity, talks}, or refused: unauthorized (disabled)
local login = ARGV[3]
local fields = call('HMGET', P .. 'agent:' .. login, 'presence', 'reason', 'capacity', 'disabled')
if fields[4] == '1' then return answer(refused('unauthorized')) end
local talks, known = {}, {}
for _, talk in ipairs(busy(login)) do
  known[talk.cid] = true
  table.insert(talks, view(talk))
end
for i = 4, #ARGV do
  local talk = not known[ARGV[i]] and read(ARGV[i])
  if talk then table.insert(talks, view(talk)) end
end
return answer({
  presence = fields[1] or 'away', reason = fields[2] or '', capacity = tonumber(fields[3] or 0), talks = talks,
})
