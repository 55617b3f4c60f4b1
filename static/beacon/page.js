// The page itself: what it is, how long it is looked at, whether it is visible.

import { listen } from './guard.js';

const LONG = 60;
const PATTERNS = [
  ['thanks', /thank|order-?(complete|confirmed|received)/],
  ['payment', /payment/],
  ['shipping', /shipping|delivery/],
  ['checkout', /checkout|\/p\/order/],
  ['cart', /\/(cart|basket|bag)(\/|\.|$)/],
  ['product', /\/(p|products?|shopdetail|items?|dp)\/(?!(list|search|order)$)./],
  ['list', /\/(category|collections?|products\/list|search|shopbrand)(\/|$)/],
  ['home', /^\/(index\.html?)?$/],
];

/** The type of a page: what its meta element says, else what its path looks like. */
export function pageType(doc, path) {
  const meta = doc.querySelector('meta[name="router:page-type"]');
  const [type] = (!meta && PATTERNS.find(([, pattern]) => pattern.test(path.toLowerCase()))) || ['other'];
  return meta ? meta.content : type;
}

/** The language that the page is written in, else the browser's. */
export function language() {
  return document.documentElement.lang || navigator.language || null;
}

/**
 * An address without its query, and without the parts of its path that may name a person: what has an @ in it, and long keys.
 * Words in other scripts than Latin are long only because they are escaped.
 */
export function plain(address) {
  return address.split(/[?#]/)[0].replace(/[^/]+/g, (part) => /@|%40/.test(part) || part.replace(/%../g, '')[LONG] ? '*' : part);
}

/** 0 hidden, 1 visible, 2 visible and focused. */
function visibility(doc) {
  if (doc.visibilityState === 'hidden') return 0;
  return doc.hasFocus() ? 2 : 1;
}

/**
 * Follows the page: `report(kind, fields)` gets `page` at each page view and `dwell` at each change of visibility.
 * `now` is monotonic. Returns `view(fields?)`, a new page view of this document, `hide()`, and `state()`, what a
 * session has to be told first that does not know this page.
 */
export function followPage(win, report, now) {
  const doc = win.document;
  let path = '';
  let shown = {};
  let state = 0;
  let focused = 0;
  let since = now();

  function settle() {
    const at = now();
    if (state === 2) focused += at - since;
    since = at;
  }

  function turn(next) {
    if (next === state) return;
    settle();
    state = next;
    report('dwell', { ms: focused, state });
  }

  function view(fields = {}) {
    const next = fields.path || win.location.pathname;
    if (next === path && !fields.again) return;
    path = next;
    shown = {
      type: fields.type || pageType(doc, path),
      path: plain(path),
      referrer: plain(fields.referrer || doc.referrer) || null,
      title: fields.title || doc.title,
      language: language(),
    };
    settle();
    focused = 0;
    report('page', shown);
  }

  const look = () => turn(visibility(doc));
  listen(doc, 'visibilitychange', look);
  listen(win, 'focus', look);
  listen(win, 'blur', () => setTimeout(look)); // focus may only have gone into a frame of the page

  return {
    view(fields) {
      view(fields);
      look();
    },
    hide: () => turn(0),
    state() {
      settle();
      return [['page', shown], ['dwell', { ms: 0, state }]];
    },
  };
}
