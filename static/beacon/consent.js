// Whether anything may be kept and sent. The site's setting begins it; then the browser's privacy signal, a consent manager
// (chunk `consent`), and above all the shop's own word decide.

export const DENIED = -1; // nothing is kept or sent, what was is forgotten
export const PENDING = 0; // nothing is kept or sent yet; events wait in memory
export const NOTICE = 1; // kept for this tab alone
export const GRANTED = 2; // kept for the browser


/** `turn(state)` is called at each change. `setting`: required, granted, or anything else for notice. */
export function createConsent(setting, turn) {
  let fixed = navigator.globalPrivacyControl;
  let state = fixed ? DENIED : setting === 'required' ? PENDING : setting === 'granted' ? GRANTED : NOTICE;

  function become(next) {
    if (next === state) return;
    state = next;
    turn(next);
  }

  return {
    state: () => state,
    /** Somebody says yes or no: `own` is the shop's explicit word, after which no other counts. */
    say(given, own) {
      if (fixed && !own) return;
      fixed = fixed || own;
      become(given ? GRANTED : DENIED);
    },
    /** The service says that this site has to ask first. */
    ask: () => state === NOTICE && become(PENDING),
  };
}
