// What the service wants drawn, passed on in order to the widget: a chunk of its own, fetched when it is first
// needed.

import { guarded } from './guard.js';

const SHOW = 4;
const STARTS = [6, 7]; // the rest is about something that the widget already draws
const HANDLERS = [, , , , , 'retract', 'conversation', 'message', 'typing', 'stored', 'refused', 'missing'];

/** Can this browser draw the widget? */
export function canDraw() {
  return 'adoptedStyleSheets' in document && 'attachShadow' in document.documentElement;
}

/**
 * `load()` resolves to the mounted widget; `core` is what the widget may use of the beacon.
 * Returns `receive(message)` for server messages and `call(name, ...args)` for all else that the widget should know.
 */
export function createUi(load, core) {
  let widget = null;

  const fetchWidget = () => {
    widget = widget || load();
    return widget;
  };

  const call = guarded(async (name, ...args) => (await fetchWidget())[name](...args));

  async function show(decision, ...rest) {
    try {
      (await fetchWidget()).show(decision, ...rest);
    } catch {
      widget = null;
      core.event('deferred', { decision, reason: 'no_ui' });
    }
  }

  return {
    call,
    /** Only if the widget is there. */
    tell: (name, ...args) => widget && call(name, ...args),
    receive([number, ...rest]) {
      if (number === SHOW) show(...rest);
      else if (HANDLERS[number] && (widget || STARTS.includes(number))) call(HANDLERS[number], ...rest);
    },
  };
}
