// What this browser tab remembers of a talk over a reload: the draft, own lines not yet stored, how far it was read.

const prefix = (me) => `router.console/${me.site.id}/${me.agent.login}/`;

/** cid -> {draft, pending, read} of this agent; nothing if the browser keeps nothing. */
export function recall(me) {
  const kept = {};
  const start = prefix(me);
  try {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(start)) kept[key.slice(start.length)] = JSON.parse(sessionStorage.getItem(key));
    }
  } catch {
    // a browser that refuses storage: the talk goes on, only a reload forgets the draft
  }
  return kept;
}

/** Remember what changed from `before` to `talks`; forget talks that are gone. */
export function remember(me, talks, before) {
  try {
    for (const cid of Object.keys(before)) if (!talks[cid]) sessionStorage.removeItem(prefix(me) + cid);
    for (const [cid, talk] of Object.entries(talks)) {
      if (same(talk, before[cid])) continue;
      const { draft, pending, read } = talk;
      sessionStorage.setItem(prefix(me) + cid, JSON.stringify({ draft, pending, read }));
    }
  } catch {
    // as above
  }
}

/** Forget this agent's talks, at logout. */
export function forget(me) {
  for (const cid of Object.keys(recall(me))) sessionStorage.removeItem(prefix(me) + cid);
}

const same = (a, b) => b && a.draft === b.draft && a.pending === b.pending && a.read === b.read;

/** A setting of this browser (language, last site), or null. */
export function setting(name) {
  try {
    return localStorage.getItem(`router.console.${name}`);
  } catch {
    return null;
  }
}

export function set(name, value) {
  try {
    localStorage.setItem(`router.console.${name}`, value);
  } catch {
    // as above
  }
}
