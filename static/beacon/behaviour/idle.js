// No input on a page that is looked at for half a minute; and the moment at which the shopper is back.

import { createExits } from './exits.js';
import { isTouch } from './index.js';

const IDLE = 20;
const AFTER_MS = 30000;
const INPUTS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'scroll', 'touchstart'];

export function followIdleness(core) {
  const { add, guarded, listen, now } = core;
  const exit = createExits(core);
  let last = now();
  let idle = false;

  function input() {
    last = now();
    if (idle) add([IDLE, 0]);
    idle = false;
  }

  function look() {
    const quiet = now() - last;
    if (quiet >= AFTER_MS && !idle && document.visibilityState === 'visible') {
      idle = true;
      add([IDLE, Math.round(quiet)]);
      if (isTouch()) exit('idle');
    }
    setTimeout(guarded(look), idle || quiet >= AFTER_MS ? 1000 : AFTER_MS - quiet);
  }

  INPUTS.forEach((name) => listen(window, name, input));
  listen(document, 'visibilitychange', input);
  look();
}
