// A conversation as the shopper sees it: lines in order, each once, and what is still on its way. Pure.

const OVER = ['closed', 'wrap-up', 'form', 'refused'];

/** Is a talk in this state at its end for the shopper? */
export function isOver(state) {
  return OVER.includes(state);
}

/** A thread; `pending` are own messages `{mid, text}` that are not yet known to be stored. */
export function createThread(pending = []) {
  const thread = { offset: 0, lines: [], pending };

  function add(line) {
    thread.offset = line.offset;
    thread.lines.push(line);
    settle(line.mid);
  }

  /** A stored message of ours stands in its place as soon as all before it are here. */
  function settle(mid) {
    thread.pending = thread.pending.filter((own) => own.mid !== mid);
    const next = thread.pending.find((own) => own.offset === thread.offset + 1);
    if (next) add({ offset: next.offset, author: 'shopper', mid: next.mid, text: next.text, at: next.at });
  }

  /** A line of the service: 'new', 'known' (seen before), or 'gap' (an earlier one is missing here). */
  thread.take = (line) => {
    if (line.offset > thread.offset + 1) return 'gap';
    if (line.offset <= thread.offset) {
      settle(line.mid);
      return 'known';
    }
    add(line);
    return 'new';
  };

  thread.send = (mid, text, at) => thread.pending.push({ mid, text, at });

  thread.stored = (mid, offset) => {
    const own = thread.pending.find((each) => each.mid === mid);
    if (!own) return;
    own.offset = offset;
    own.failed = false;
    settle(offset <= thread.offset ? mid : undefined);
  };

  /** The service refuses this message for good. */
  thread.refused = (mid) => {
    const own = thread.pending.find((each) => each.mid === mid);
    if (own) own.failed = true;
    return !!own;
  };

  /** Lines `start` to `end` are gone; what is here already stays. */
  thread.missing = (start, end) => {
    if (end <= thread.offset) return;
    thread.lines.push({ missing: end - Math.max(start - 1, thread.offset), offset: end });
    thread.offset = end;
    settle();
  };

  /** Own messages that have to be sent (again). */
  thread.unsent = () => thread.pending.filter((own) => !own.failed && own.offset === undefined);

  return thread;
}
