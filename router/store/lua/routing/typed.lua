-- uses common matching transitions handing due
-- The shopper types in a conversation whose first message is still to come: a slot stays held for them.
--
-- ARGV[3] conversation
-- value   whether there is such a conversation
local talk = read(ARGV[3])
if not talk or talk.state ~= 'opened' then return answer(false) end
keep_slot(talk)
return answer(true)
