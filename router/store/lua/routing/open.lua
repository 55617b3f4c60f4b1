-- uses common matching transitions handing due
-- The shopper said yes: the conversation begins, its invite's hold ends, and it rings at once if somebody is free.
-- Idempotent by conversation: later calls change nothing and answer the record as it is.
--
-- ARGV[3] conversation (the decision's id)  ARGV[4] secret  ARGV[5] language  ARGV[6] card, JSON
-- ARGV[7] terms, JSON: {queue, ring_ms, wrap_ms, priority_ms, reply_ms, closes, steps: [[after ms, signature], ...]}
-- ARGV[8] how long it lives unseen, ms (0: for ever)  ARGV[9] visitor, "" if none is known
-- ARGV[10] it waits for its first message: "any" until then for a queue too, "named" for this one's line (route.lua);
--          "": it does not
-- ARGV[11] session
-- value   the record, or refused: blocked
local cid, terms, lease = ARGV[3], cjson.decode(ARGV[7]), tonumber(ARGV[8])
local talk = read(cid)
if not talk then
  drop_hold(cid)
  if is_blocked(ARGV[9]) or is_blocked(ARGV[11]) then return answer(refused('blocked')) end
  talk = {cid = cid, agent = ''}
  write(talk, {
    secret = ARGV[4], language = ARGV[5], card = ARGV[6], opened = now, accepted = 0, agent = '', tried = '',
    present = '1', state = 'waiting', note = '', disposition = '', ['end'] = '', to = '', why = '', said = '0',
    visitor = ARGV[9], session = ARGV[11], tags = '[]', fields = '{}', named = ARGV[10] == 'named' and '1' or '0',
  })
  set_terms(talk, terms)
  tell('opened', talk)
  if lease > 0 then arm('seen', cid, now + lease) end
  if ARGV[10] ~= '' then
    disarm('step', cid)
    write(talk, {state = 'opened'})
    keep_slot(talk)
  else
    line_up(talk)
  end
  if talk.state == 'waiting' then notice(talk, 'waiting') end
end
return answer(view(talk))
