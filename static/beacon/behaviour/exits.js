// Signs of leaving: the pointer goes out at the top, another tab; on touch also a fast scroll up and a return. The
// history is never touched.

import { isTouch } from './index.js';

const EXIT = 16;
const PAUSE_MS = 5000;
const AWAY_MS = 1000;
const FAST = 1.5; // pixels a millisecond
const FAR = 300;

/** Also used by idleness: at most one sign of a kind in five seconds. */
export function createExits({ add, now }) {
  const last = {};
  return (kind) => {
    if (now() - (last[kind] || -PAUSE_MS) < PAUSE_MS) return;
    last[kind] = now();
    add([EXIT, kind]);
  };
}

export function followExits(core) {
  const { listen, now } = core;
  const exit = createExits(core);
  let leaving = false;
  let hidden = 0;
  let top = scrollY;
  let turned = 0;
  let before = scrollY;

  listen(document.documentElement, 'mouseleave', ({ target, clientY }) => {
    if (target === document.documentElement && clientY <= 0) exit('pointer');
  });
  // A navigation hides the page as well, but says so first.
  listen(window, 'pagehide', () => { leaving = true; });
  listen(window, 'pageshow', () => { leaving = false; });
  listen(document, 'visibilitychange', () => {
    if (leaving) return;
    if (document.visibilityState === 'hidden') {
      hidden = now();
      exit('tab');
    } else if (hidden && isTouch() && now() - hidden > AWAY_MS) exit('return');
  });
  listen(window, 'scroll', () => {
    const y = scrollY;
    if (y >= before) {
      top = y;
      turned = now();
    } else if (isTouch() && top - y > FAR && top - y > FAST * (now() - turned)) exit('scroll');
    before = y;
  });
}
