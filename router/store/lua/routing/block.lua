-- uses common matching transitions handing due
-- The conversation ends, and its shopper, by session and visitor, reaches nobody for a while. Once more is harmless.
--
-- ARGV[3] login  ARGV[4] conversation  ARGV[5] why  ARGV[6] for how long, ms
-- value   true, or refused: no_conversation, not_yours, too_late, full (too many are blocked)
local login, talk = ARGV[3], read(ARGV[4])
if not talk then return answer(refused('no_conversation')) end
if talk.agent ~= login then return answer(refused('not_yours')) end
if call('HEXISTS', P .. 'blocks', talk.cid) == 1 then return answer(true) end
if talk.state ~= 'active' and talk.state ~= 'wrap-up' then return answer(refused('too_late')) end
for cid, block in pairs(record(call('HGETALL', P .. 'blocks'))) do
  if cjson.decode(block)['until'] <= now then call('HDEL', P .. 'blocks', cid) end
end
call('ZREMRANGEBYSCORE', P .. 'blocked', '-inf', now)
if call('HLEN', P .. 'blocks') >= BLOCKS_MOST then return answer(refused('full')) end
local ends, ids = now + ARGV[6], {}
for _, id in ipairs({talk.session or '', talk.visitor}) do
  if id ~= '' then
    table.insert(ids, id)
    call('ZADD', P .. 'blocked', ends, id)
  end
end
call('HSET', P .. 'blocks', talk.cid, cjson.encode({
  ids = ids, by = login, name = call('HGET', P .. 'agent:' .. login, 'name') or login, reason = ARGV[5],
  ['until'] = ends, at = now, who = string.sub(talk.visitor, 1, 6),
}))
table.insert(events, {
  kind = 'blocked', cid = talk.cid, at_ms = now, queue = talk.queue, agent = login, reason = ARGV[5], until_ms = ends,
})
if talk.state == 'active' then
  notice(talk, 'closed')
  wrap_up(talk, 'blocked')
end
return answer(true)
