// What the browser keeps for us, and only while it may: before consent nothing is read or written.
//   cookie  router_s    with consent: session token, for this browser session and the whole domain, so that all tabs are one
//   local   router_v    with consent: visitor token
//   session router_*    unacknowledged events, the talk, without consent the session token: they belong to one tab

function attempt(work) {
  try {
    return work();
  } catch {
    return null; // storage is switched off or full: everything then lives in memory
  }
}

/** A store that is shut until `open(level)`: 1 for this tab, 2 for the browser; `close()` forgets all it kept. */
export function createStore(win = window) {
  let mayKeep = 0;
  let domain;
  const jar = (text) => {
    const secure = win.location.protocol === 'https:' ? '; Secure' : '';
    win.document.cookie = `router_${text}; Path=/; SameSite=Lax${secure}`;
  };
  const found = (name) => (win.document.cookie.match(`(?:^|; )router_${name}=([^;]*)`) || [])[1] || null;

  /** The widest domain of this host that takes a cookie: all of a shop's hosts are one session. */
  function widest() {
    const parts = win.location.hostname.split('.');
    let attribute = '; Domain=';
    for (let n = parts.length; n-- && !found('t');) jar(`t=1${attribute = `; Domain=${parts.slice(n).join('.')}`}`);
    if (!found('t')) return '';
    jar(`t=; Max-Age=0${attribute}`);
    return attribute;
  }

  const keep = (area, key, value) => mayKeep && attempt(() => {
    if (value === null) win[area].removeItem(`router_${key}`);
    else win[area].setItem(`router_${key}`, value);
  });
  const recall = (area, key) => mayKeep ? attempt(() => win[area].getItem(`router_${key}`)) : null;

  return {
    get session() {
      return mayKeep > 1 ? attempt(() => found('s')) : recall('sessionStorage', 's');
    },
    set session(token) {
      if (mayKeep < 2) return void keep('sessionStorage', 's', token);
      attempt(() => jar(`s=${token || ''}${token ? '' : '; Max-Age=0'}${domain = domain ?? widest()}`));
    },
    get visitor() { return mayKeep > 1 ? recall('localStorage', 'v') : null; },
    set visitor(token) { if (mayKeep > 1) keep('localStorage', 'v', token); },
    /** A value of this tab by name; JSON text or null. */
    get: (key) => attempt(() => JSON.parse(recall('sessionStorage', key))),
    set: (key, value) => keep('sessionStorage', key, value && JSON.stringify(value)),
    /** Names of this tab's values that begin with `prefix`. */
    keys: (prefix) => mayKeep && attempt(() => Object.keys(win.sessionStorage)
      .filter((key) => key.startsWith(`router_${prefix}`)).map((key) => key.slice(7))) || [],
    open: (level) => { mayKeep = level; },
    close() {
      this.session = this.visitor = null;
      this.keys('').forEach((key) => this.set(key, null));
      mayKeep = 0;
    },
  };
}
