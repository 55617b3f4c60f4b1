// What a page without consent needs: who may give it, and the shopper's own way to a person. A chunk of its own, fetched
// where the site asks first, the browser says no, or a consent manager is seen.

import { followAsks } from '../asks.js';
import { followManagers } from './managers.js';

/** Begin to listen. `core`: consented, guarded, listen, open. */
export function mount(core) {
  core.guarded(followAsks)(core);
  followManagers(core);
}
