// Events on their way: each page's in a line of its own, numbered from 1, kept until the service acknowledged
// them. What earlier pages of this tab left behind goes out under their ids, oldest page first.

import { encode } from './msgpack.js';

const PREFIX = 'q.';
const IN_FLIGHT = 256; // the service takes no more unacknowledged events of a page
const HELD = 1024;
const BATCH = 64;
const BATCH_BYTES = 30000;
const STALE_MS = 30 * 60000; // after so much silence the session that they belonged to is over
const DWELL = 14;

/**
 * A queue for `page` over `store` (get, set, keys), on the clock `now` (ms since the epoch). Setting `page` begins
 * another line; the former one stays as a leftover.
 * A line: `first` number of its oldest event, `events` [at, kind, ...fields], `sent` the last number sent.
 */
export function createQueue(store, page, now) {
  const lines = new Map();
  const dirty = new Set();
  const queue = { page };

  function line(id) {
    if (!lines.has(id)) lines.set(id, { first: 1, events: [], sent: 0 });
    return lines.get(id);
  }

  function save() {
    for (const id of dirty) {
      const kept = lines.get(id);
      store.set(PREFIX + id, kept?.events.length ? [kept.first, kept.events] : null);
    }
    dirty.clear();
  }

  function changed(id) {
    if (!dirty.size) queueMicrotask(save);
    dirty.add(id);
  }

  function drop(id) {
    lines.delete(id);
    changed(id);
  }

  /** Batches of what was not yet sent: `[2, page, first, [[kind, age_ms, ...fields], ...]]`, in order. */
  queue.batches = () => [...lines.keys()].sort().flatMap((id) => cut(id, lines.get(id), lines.get(id).sent + 1));

  /** The current page's oldest batch, sent or not: what its farewell carries. */
  queue.last = () => cut(queue.page, line(queue.page), 1)[0];

  function cut(id, { first, events }, wanted) {
    const out = [];
    const end = Math.min(events.length, IN_FLIGHT);
    let room = 0;
    for (let i = Math.max(0, wanted - first); i < end; i++) {
      const [at, kind, ...fields] = events[i];
      const event = [kind, Math.max(0, Math.round(now() - at)), ...fields];
      const bytes = encode(event).length;
      const last = out[out.length - 1];
      if (last?.[3].length < BATCH && bytes <= room) last[3].push(event);
      else {
        out.push([2, id, first + i, [event]]);
        room = BATCH_BYTES;
      }
      room -= bytes;
    }
    return out;
  }

  /** These batches are on their way. */
  queue.sent = (batches) => batches.forEach(([, id, first, events]) => {
    line(id).sent = first + events.length - 1;
  });

  /** Append an event of the current page; when the line is full, dwell goes first. */
  queue.add = (event) => {
    const { events } = line(queue.page);
    if (events.length >= (event[0] === DWELL ? IN_FLIGHT : HELD)) return;
    events.push([Math.round(now()), ...event]);
    changed(queue.page);
  };

  /** All of page `id` up to number `n` is stored. */
  queue.ack = (id, n) => {
    const known = lines.get(id);
    if (!known || n < known.first) return;
    known.events.splice(0, n + 1 - known.first);
    known.first = n + 1;
    known.sent = Math.max(known.sent, n);
    if (!known.events.length && id !== queue.page) lines.delete(id);
    changed(id);
  };

  /**
   * The service wants page `id` from number `want` on; 0: it will not have that page at all. False: the current
   * page cannot go on under its id.
   */
  queue.rewind = (id, want) => {
    const known = lines.get(id);
    if (!known) return true;
    queue.ack(id, want - 1);
    if (want >= known.first) known.sent = want - 1;
    else if (id === queue.page) return false;
    else drop(id); // its beginning belonged to a session that is over
    return true;
  };

  /** After welcome: drop what is stored, send the rest again. False as in `rewind`. */
  queue.settle = (marks) => {
    let fine = true;
    for (const id of [...lines.keys()]) fine = queue.rewind(id, (marks[id] || 0) + 1) && fine;
    return fine;
  };

  /** Go on as page `id`, numbers beginning at 1 again; `opening` events stand before those that still wait. */
  queue.renew = (id, opening) => {
    const waiting = line(queue.page).events;
    drop(queue.page);
    queue.page = id;
    const at = waiting.length ? waiting[0][0] : Math.round(now());
    line(id).events = [...opening.map((event) => [at, ...event]), ...waiting];
    changed(id);
  };

  /** Read what earlier pages of this tab left, if it is not too old to belong to this session. */
  queue.load = () => {
    for (const key of store.keys(PREFIX)) {
      const id = key.slice(PREFIX.length);
      const [first, events] = store.get(key) || [];
      if (lines.has(id)) continue;
      const fresh = events?.length && now() - events[events.length - 1][0] < STALE_MS;
      if (fresh) lines.set(id, { first, events, sent: first - 1 });
      else store.set(key, null);
    }
    for (const id of lines.keys()) changed(id);
  };

  /** Forget everything. */
  queue.clear = () => lines.clear();

  /** Does anything wait for an acknowledgement? */
  queue.waiting = () => [...lines.values()].some(({ events }) => events.length);

  return queue;
}
