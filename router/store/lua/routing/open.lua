-- uses common matching transitions
-- The shopper said yes: the conversation begins, its invite's hold ends, and it rings at once if somebody is free.
-- Idempotent by conversation: later calls change nothing and answer the record as it is.
--
-- ARGV[3] conversation (the decision's id)  ARGV[4] signature  ARGV[5] queue  ARGV[6] secret  ARGV[7] language
-- ARGV[8] card, JSON  ARGV[9] ring, ms  ARGV[10] wrap-up, ms  ARGV[11] how long it lives unseen, ms (0: for ever)
-- value   the record
local cid, sig, lease = ARGV[3], ARGV[4], tonumber(ARGV[11])
local talk = read(cid)
if not talk then
  drop_hold(cid)
  register(sig)
  talk = {cid = cid, agent = ''}
  write(talk, {
    sig = sig, queue = ARGV[5], secret = ARGV[6], language = ARGV[7], card = ARGV[8], ring_ms = ARGV[9],
    wrap_ms = ARGV[10], opened = now, place = now, accepted = 0, agent = '', tried = '', present = '1',
    state = 'waiting', note = '', disposition = '', ['end'] = '',
  })
  tell('opened', talk)
  if lease > 0 then arm('seen', cid, now + lease) end
  line_up(talk)
  if talk.state == 'waiting' then notice(talk, 'waiting') end
end
return answer(view(talk))
