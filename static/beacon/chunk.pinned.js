// Where chunks come from in the one-file build: out of the file, which its hash pins as a whole. What few pages need (a message
// form, cards of offers, previews) is fetched as ever.

import * as behaviour from './behaviour/index.js';
import * as ga4 from './adapters/ga4.js';
import * as widget from './widget/index.js';

/* global BUILD */

const HERE = { __proto__: null, behaviour, ga4, widget };

/** The module of a chunk. */
export const load = async (origin, name) => HERE[name] || import(`${origin}/${name}.js?v=${BUILD}`);
