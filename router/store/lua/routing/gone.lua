-- uses common matching transitions handing due
-- No page of the shopper is left. Unless one is there again soon, as after a navigation, the shopper is gone.
-- Once more is harmless.
--
-- ARGV[3] conversation  ARGV[4] how soon, ms (0: at once)
-- value   true, or refused: no_conversation
local talk = read(ARGV[3])
if not talk then return answer(refused('no_conversation')) end
if talk.state == 'closed' or talk.present == '0' then return answer(true) end
if ARGV[4] == '0' then shopper_gone(talk) else arm('seen', talk.cid, now + ARGV[4]) end
return answer(true)
