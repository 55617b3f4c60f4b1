// What the console knows, as one value, and the pure step from one value to the next. No clock, no storage, no page.
//
// state.talks: cid -> talk = {
//   cid, data      the conversation as the service last told it
//   deadline       server ms at which the present state ends by itself (ringing, wrap-up), or null
//   ring_ms        how long it rings in all, as far as this console saw it
//   lines          stored messages, in order of offset, each once
//   gaps           [first, last] offsets that the service said are gone
//   pending        own lines without a stored copy here: {mid, text, at_ms, status: sending | stored | refused, error?}
//   read           offset up to which the agent has seen the talk
//   typingUntil    client ms until which the typing sign stands; peek: what is typed so far, if the site has it shown
//   draft, note    what stands in the reply box; {text, status: kept | changed | refused}
// }

export const initial = {
  phase: "loading", // loading | login | console
  me: null,
  link: { status: "connecting" },
  skew: 0, // server clock minus this clock, ms
  presence: null,
  reason: null,
  capacity: null, // how many talks at a time
  talks: {},
  selected: null,
  ring: null, // the ring the agent looks at, if there are several
  waiting: null, // queue -> how many wait; null until the service has said so
  line: null, // who waits, oldest first; null until the service has said so
  team: null, // who is there; null until the service has said so
  left: null, // left messages, what is due first; null until the service has said so
  shownLeft: null, // the id of the message that is open instead of a talk
  visible: true,
  tab: "list", // on a narrow screen: list | talk | context
  dialog: null, // {kind: talks, login} | close | logout | settings | keys | {kind: transfer | assign | card, cid}
  notice: null, // {key, error?} one sentence about what went wrong
  caret: 0, // grows whenever the reply box should take the caret
};

const TYPING_MS = 6_000;
const RING_MS = 20_000; // for a ring that was already under way when this console connected
const RING_NOTICES = {
  missed: { key: "ring_missed" },
  cancelled: { key: "ring_cancelled" },
  late: { key: "ring_late" },
};

/** The next state. `action.t` is a server message's `t`, or one of the console's own, below. Unknown ones change nothing. */
export function reduce(state, action) {
  const step = Object.hasOwn(STEPS, action.t) ? STEPS[action.t] : null;
  return step ? step(state, action) : state;
}

const STEPS = {
  // --- from the service
  hello(state, { presence, reason = null, capacity, conversations, now_ms, at, kept = {} }) {
    const talks = {};
    for (const data of conversations) {
      const before = state.talks[data.cid] ?? fresh(data, kept[data.cid]);
      talks[data.cid] = told(before, data);
    }
    const next = { ...state, talks, skew: now_ms - at, presence, reason, capacity };
    return look(keepSelection(next, state));
  },
  presence: (state, { state: presence, reason = null }) => ({ ...state, presence, reason }),
  queue: (state, { waiting }) => ({ ...state, waiting }),
  line: (state, { waiting: line }) => ({ ...state, line }),
  team: (state, { agents: team }) => ({ ...state, team }),
  left: (state, { messages: left }) => ({ ...state, left }),
  ring(state, { conversation, deadline_ms, at }) {
    const before = state.talks[conversation.cid] ?? fresh(conversation);
    const talk = told(before, { ...conversation, state: "ringing", deadline_ms });
    return put(state, { ...talk, ring_ms: deadline_ms - (at + state.skew) });
  },
  ring_over(state, { cid, reason }) {
    const talk = state.talks[cid];
    if (!talk || talk.data.state !== "ringing" || reason === "accepted") return state;
    return { ...without(state, cid), notice: RING_NOTICES[reason] ?? state.notice };
  },
  conversation(state, { conversation }) {
    const { cid, agent, state: now } = conversation;
    const open = state.selected === cid;
    if (now !== "closed" && agent !== state.me.agent.login) return lost(state, cid);
    if (now === "closed" && !open) return without(state, cid);
    const talk = told(state.talks[cid] ?? fresh(conversation), conversation);
    const ended = open && state.dialog === "close" && now === "closed";
    return look({ ...put(state, talk), dialog: ended ? null : state.dialog });
  },
  message: (state, { cid, message }) =>
    look(change(state, cid, (talk) => add({ ...talk, typingUntil: message.author === "shopper" ? 0 : talk.typingUntil, peek: message.author === "shopper" ? "" : talk.peek }, [message]))),
  typing: (state, { cid, on, at }) => change(state, cid, (talk) => ({ ...talk, typingUntil: on ? at + TYPING_MS : 0, peek: on ? talk.peek : "" })),
  peek: (state, { cid, text }) => change(state, cid, (talk) => ({ ...talk, peek: text })),

  // --- answers to what was asked
  accepted(state, { cid, conversation }) {
    const before = state.talks[cid] ?? fresh(conversation);
    const talk = told(before, conversation);
    const next = put(leave(state, cid), talk.draft ? talk : { ...talk, draft: opening(conversation.card), suggested: true });
    return look({ ...next, selected: cid, shownLeft: null, tab: "talk", caret: state.caret + 1 });
  },
  history: (state, { cid, after, messages, upto }) => look(change(state, cid, (talk) => heard(talk, after, messages, upto))),
  stored(state, { cid, mid, offset }) {
    const next = pending(state, cid, mid, (line) => ({ ...line, status: "stored" }));
    return change(next, cid, (talk) => ({ ...talk, data: { ...talk.data, offset: Math.max(talk.data.offset ?? 0, offset) } }));
  },
  refused: (state, { cid, mid, error }) => pending(state, cid, mid, (line) => ({ ...line, status: "refused", error })),
  note_kept: (state, { cid, text }) =>
    change(state, cid, (talk) => (talk.note.text === text ? { ...talk, note: { text, status: "kept" } } : talk)),
  note_refused: (state, { cid }) => change(state, cid, (talk) => ({ ...talk, note: { ...talk.note, status: "refused" } })),

  // --- what the agent does
  logged_in: (state, { me }) => ({ ...initial, visible: state.visible, phase: "console", me }),
  logged_out: (state, { notice = null }) => ({ ...initial, visible: state.visible, phase: "login", notice }),
  select(state, { cid }) {
    return look({ ...leave(state, cid), selected: cid, shownLeft: null, tab: "talk", caret: state.caret + 1, notice: null });
  },
  show_left: (state, { id }) => ({ ...leave(state, null), selected: null, shownLeft: id, tab: "talk", notice: null }),
  show_ring: (state, { cid }) => ({ ...state, ring: cid, tab: "talk" }),
  draft: (state, { cid, text }) => change(state, cid, (talk) => ({ ...talk, draft: text, suggested: false })),
  say: (state, { cid, mid, text, at_ms }) =>
    change(state, cid, (talk) => ({
      ...talk,
      draft: "",
      suggested: false,
      pending: [...talk.pending, { mid, text, at_ms, status: "sending" }],
    })),
  again: (state, { cid, mid }) => pending(state, cid, mid, (line) => ({ ...line, status: "sending", error: undefined })),
  discard: (state, { cid, mid }) =>
    change(state, cid, (talk) => ({ ...talk, pending: talk.pending.filter((line) => line.mid !== mid) })),
  note: (state, { cid, text }) => change(state, cid, (talk) => ({ ...talk, note: { text, status: "changed" } })),
  tab: (state, { tab }) => ({ ...state, tab }),
  dialog: (state, { dialog }) => ({ ...state, dialog, notice: null }),
  notice: (state, { notice }) => ({ ...state, notice }),

  // --- what happens to the page
  link: (state, { link }) => ({ ...state, link }),
  visible: (state, { visible }) => look({ ...state, visible }),
};

/** A talk that was not known before; `kept` is what this browser tab remembers of it. */
function fresh(data, kept = {}) {
  return {
    cid: data.cid,
    data,
    deadline: null,
    ring_ms: RING_MS,
    lines: [],
    gaps: [],
    pending: kept.pending ?? [],
    read: kept.read ?? data.offset ?? 0,
    typingUntil: 0,
    peek: "",
    draft: kept.draft ?? "",
    suggested: false,
    note: { text: data.note ?? "", status: "kept" },
  };
}

/** What the service says of a conversation replaces what was known; a note that is being written stays. */
function told(talk, { messages, ...data }) {
  const note = talk.note.status === "kept" ? { text: data.note ?? "", status: "kept" } : talk.note;
  const same = talk.data.state === data.state;
  const deadline = data.deadline_ms ?? (same ? talk.deadline : null);
  return add({ ...talk, data, note, deadline }, messages ?? []);
}

/** Lines by offset, each once; an own line that came back is no longer pending. */
function add(talk, messages) {
  if (!messages.length) return talk;
  const byOffset = new Map([...talk.lines, ...messages].map((line) => [line.offset, line]));
  const lines = [...byOffset.values()].sort((a, b) => a.offset - b.offset);
  const mids = new Set(messages.map((line) => line.mid).filter(Boolean));
  return { ...talk, lines, pending: talk.pending.filter((line) => !mids.has(line.mid)) };
}

/** An answer to `history` after offset `after`: what it skips is gone for good. Nothing at all: gone up to `upto`. */
function heard(talk, after, messages, upto) {
  const gaps = [...talk.gaps];
  let next = after + 1;
  for (const { offset } of messages) {
    if (offset > next) gaps.push([next, offset - 1]);
    next = Math.max(next, offset + 1);
  }
  if (!messages.length && upto >= next) gaps.push([next, upto]);
  return add({ ...talk, gaps }, messages);
}

/** The offset after which lines are missing here and have to be asked for; null if the talk is whole. */
export function missing({ data, lines, gaps }) {
  const known = [...lines.map((line) => [line.offset, line.offset]), ...gaps].sort((a, b) => a[0] - b[0]);
  let have = 0;
  for (const [first, last] of known) {
    if (first > have + 1) return have;
    have = Math.max(have, last);
  }
  return have < (data.offset ?? 0) ? have : null;
}

/** The highest offset that is known of, here or there. */
export const lastOffset = (talk) => Math.max(talk?.data.offset ?? 0, talk?.lines.at(-1)?.offset ?? 0);

function pending(state, cid, mid, step) {
  return change(state, cid, (talk) => ({
    ...talk,
    pending: talk.pending.map((line) => (line.mid === mid ? step(line) : line)),
  }));
}

function change(state, cid, step) {
  const talk = state.talks[cid];
  return talk ? put(state, step(talk)) : state;
}

function put(state, talk) {
  return { ...state, talks: { ...state.talks, [talk.cid]: talk } };
}

/** A closed talk goes when another one (`cid`) is opened in its place. */
function leave(state, cid) {
  const left = state.talks[state.selected];
  return left && left.cid !== cid && left.data.state === "closed" ? without(state, left.cid) : state;
}

function without(state, cid) {
  const { [cid]: gone, ...talks } = state.talks;
  return { ...state, talks, selected: state.selected === cid ? null : state.selected, dialog: state.selected === cid ? null : state.dialog };
}

/** The conversation is a colleague's now, or waits for one. */
const lost = (state, cid) => ({ ...without(state, cid), notice: state.selected === cid ? { key: "talk_gone" } : state.notice });

/** `hello` may no longer hold the talk that was open: then nothing is selected, and it is said. */
function keepSelection(next, before) {
  if (!before.selected || next.talks[before.selected]) return next;
  const ended = before.talks[before.selected]?.data.state === "closed";
  return { ...next, selected: null, dialog: null, notice: ended ? next.notice : { key: "talk_gone" } };
}

/** What stands open before the agent's eyes is read. */
function look(state) {
  const talk = state.talks[state.selected];
  const last = talk?.lines.at(-1)?.offset ?? 0;
  return !state.visible || !talk || talk.read >= last ? state : put(state, { ...talk, read: last });
}

/** The suggested first line, in the shopper's language; empty if there is none. */
function opening(card) {
  const lines = card?.opening;
  if (!lines) return "";
  return lines[card.language] ?? lines.en ?? lines.ja ?? "";
}

// --- what the views ask

/** Ringing talks, the most urgent first. */
export const rings = (state) =>
  Object.values(state.talks)
    .filter((talk) => talk.data.state === "ringing")
    .sort((a, b) => (a.deadline ?? Infinity) - (b.deadline ?? Infinity));

/** The agent's own talks, the oldest first, so that they do not jump about; a closed one only while it is open. */
export const mine = (state) =>
  Object.values(state.talks)
    .filter(({ cid, data }) => data.state !== "ringing" && (data.state !== "closed" || cid === state.selected))
    .sort((a, b) => a.data.opened_ms - b.data.opened_ms);

/** The ring that is shown large: the one the agent chose, else the most urgent. */
export const shownRing = (state) => rings(state).find(({ cid }) => cid === state.ring) ?? rings(state)[0] ?? null;

export const selected = (state) => {
  const talk = state.talks[state.selected];
  return talk && talk.data.state !== "ringing" ? talk : null;
};

/** Can the agent still write to the shopper? */
export const talks = ({ data }) => data.state === "active";

export const typing = (talk, now) => talks(talk) && talk.typingUntil > now;

export const unread = ({ lines, read }) => lines.filter((line) => line.author === "shopper" && line.offset > read).length;

/** What calls for the agent: rings, and lines not yet read. */
export const calls = (state) => rings(state).length + mine(state).reduce((sum, talk) => sum + unread(talk), 0);

/** The next own line to send: one at a time a talk, so that order is kept. */
export const toSend = (talk) => talk?.pending.find((line) => line.status === "sending") ?? null;

/** A state that changes only by `dispatch`; `listen` is called after each change. */
export function createStore(state = initial) {
  const listeners = [];
  return {
    get: () => state,
    listen: (listener) => listeners.push(listener),
    dispatch(action) {
      const before = state;
      state = reduce(state, action);
      if (state !== before) for (const listener of listeners) listener(state, before);
    },
  };
}
