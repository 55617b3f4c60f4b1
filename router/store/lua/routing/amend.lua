-- uses common matching transitions handing due
-- Change what the record carries beside its state: the card, kept fresh while the shopper browses, the note, tags, or that
-- the shopper has said something.
--
-- ARGV[3] conversation  ARGV[4] the agent it must belong to ("": anybody)  ARGV[5] card, note, tags or said  ARGV[6] the value
-- value   true, or refused: no_conversation, not_yours
local talk = read(ARGV[3])
if not talk then return answer(refused('no_conversation')) end
if ARGV[4] ~= '' and talk.agent ~= ARGV[4] then return answer(refused('not_yours')) end
write(talk, {[ARGV[5]] = ARGV[6]})
return answer(true)
