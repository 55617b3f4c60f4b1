// What the browser keeps for us, and only while it may: before consent nothing is read or written.
//   cookie  router_s    session token, for this browser session, so that all tabs are one session
//   local   router_v    visitor token
//   session router_*    unacknowledged events, the talk: they belong to one tab

function attempt(work) {
  try {
    return work();
  } catch {
    return null; // storage is switched off or full: everything then lives in memory
  }
}

/** A store that is shut until `open()`; `close()` forgets all it kept. */
export function createStore(win = window) {
  let mayKeep = false;
  const cookie = (value, rest) => {
    const secure = win.location.protocol === 'https:' ? '; Secure' : '';
    win.document.cookie = `router_s=${value}; Path=/; SameSite=Lax${secure}${rest}`;
  };
  const keep = (area, key, value) => mayKeep && attempt(() => {
    if (value === null) win[area].removeItem(`router_${key}`);
    else win[area].setItem(`router_${key}`, value);
  });
  const recall = (area, key) => mayKeep ? attempt(() => win[area].getItem(`router_${key}`)) : null;

  return {
    get session() {
      return mayKeep ? attempt(() => (win.document.cookie.match(/(?:^|; )router_s=([^;]*)/) || [])[1] || null) : null;
    },
    set session(token) {
      if (mayKeep) attempt(() => cookie(token || '', token ? '' : '; Max-Age=0'));
    },
    get visitor() { return recall('localStorage', 'v'); },
    set visitor(token) { keep('localStorage', 'v', token); },
    /** A value of this tab by name; JSON text or null. */
    get: (key) => attempt(() => JSON.parse(recall('sessionStorage', key))),
    set: (key, value) => keep('sessionStorage', key, value && JSON.stringify(value)),
    /** Names of this tab's values that begin with `prefix`. */
    keys: (prefix) => mayKeep && attempt(() => Object.keys(win.sessionStorage)
      .filter((key) => key.startsWith(`router_${prefix}`)).map((key) => key.slice(7))) || [],
    open: () => { mayKeep = true; },
    close() {
      this.session = this.visitor = null;
      this.keys('').forEach((key) => this.set(key, null));
      mayKeep = false;
    },
  };
}
