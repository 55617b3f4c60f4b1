// What a shopper does besides what the shop says: a chunk of its own, fetched after the first welcome. Each collector
// gets the core's tools and adds events as `[kind number, ...fields]` (docs/protocol.md); none changes the page, and none
// looks at our own element.

import { followAsks } from '../asks.js';
import { followClicks } from './clicks.js';
import { followExits } from './exits.js';
import { followFaults } from './faults.js';
import { followFields } from './fields.js';
import { followIdleness } from './idle.js';
import { isManaged } from '../consent/managers.js';
import { followRest } from './rest.js';
import { followScroll } from './scroll.js';
import { tellOrigin } from './origin.js';

/** Begin to watch. `core`: add, address, chunk, get, guarded, listen, now, on, session, set. */
export function mount(core) {
  const all = [followAsks, tellOrigin, followScroll, followExits, followClicks, followFields, followIdleness, followFaults, followRest];
  if (core.get('f')) core.guarded(core.chunk('cards'))()?.then(({ restore }) => restore());
  if (isManaged(window)) core.chunk('consent')();
  all.forEach((collector) => core.guarded(collector)(core));
}

/** Is the browser used by touch? */
export const isTouch = () => matchMedia('(pointer: coarse)').matches;
