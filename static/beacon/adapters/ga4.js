// Reads a GA4 data layer: entries of Google Tag Manager's form `{event, ecommerce}` and of gtag's
// `('event', name, parameters)`, those that are there already and those to come. `value` is taken as GA4 means
// it: lines after discount, without tax and shipping.

import { guarded } from '../guard.js';
import { DATA_LAYER } from '../sources.js';
import { counted } from './results.js';

const money = ({ value, currency, coupon }) => ({ value, currency, coupon });
const sum = (items, each) => items.reduce((total, item) => total + each(item), 0);

function item(entry) {
  return {
    id: entry.item_id || entry.item_name,
    name: entry.item_name,
    category: entry.item_category,
    brand: entry.item_brand,
    variant: entry.item_variant,
    price: entry.price,
    quantity: entry.quantity,
  };
}

/** One event an item; the event's value is an item's only if it is alone. */
const each = (kind) => (data, items) => items.map((one) => [kind, {
  item: one, currency: data.currency, value: items.length === 1 ? data.value : undefined,
}]);

function cart(data, items) {
  const worth = sum(items, (one) => one.price * (one.quantity || 1));
  return [['cart', {
    lines: items.length,
    quantity: sum(items, (one) => +(one.quantity || 1)),
    value: data.value ?? worth,
    currency: data.currency,
    items,
  }]];
}

const READ = {
  __proto__: null, // so that an event called "constructor" is none of ours
  page_view: (data) => [['page', {
    path: data.page_location && new URL(data.page_location, location.href).pathname,
    title: data.page_title,
    referrer: data.page_referrer,
  }]],
  view_item: (data, items) => each('product')(data, items.slice(0, 1)),
  add_to_cart: each('cart_add'),
  remove_from_cart: each('cart_remove'),
  view_cart: cart,
  add_to_wishlist: each('wishlist'),
  begin_checkout: (data) => [['checkout', money(data)]],
  add_shipping_info: (data) => [['checkout_step', { number: 1, name: data.shipping_tier || 'shipping' }]],
  add_payment_info: (data) => [['payment', { method: data.payment_type, result: 'started' }]],
  purchase: (data) => [['purchase', {
    ...money(data), order: data.transaction_id, tax: data.tax, shipping: data.shipping,
  }]],
  view_item_list: (data, items) => [['list', { id: data.item_list_id || data.item_list_name || 'list', count: items.length }]],
  search: (data, items) => [['search', { results: Array.isArray(data.items) ? items.length : undefined }]],
};
READ.view_search_results = READ.search;

/** The events, as `[kind, fields]`, that one entry of the data layer stands for. */
export function read(entry) {
  const called = entry?.[0] === 'event';
  const event = called ? entry[1] : entry?.event;
  if (!READ[event]) return [];
  const data = (called ? entry[2] : entry.ecommerce || entry) || {};
  return READ[event](data, Array.isArray(data.items) ? data.items.filter(Boolean).map(item) : []);
}

/** The names of the page's data layers: a tag manager's script says in its address if it is not the usual one. */
export function layers(doc) {
  const scripts = [...doc.querySelectorAll('script[src*="googletagmanager.com/"]')];
  return new Set(['dataLayer', ...scripts.map(({ src }) => new URL(src).searchParams.get('l')).filter(Boolean)]);
}

/** Report what the data layer of this name says, through `report(kind, fields)`: also when another takes its place. */
export function followDataLayer(win, report, name = 'dataLayer') {
  const seen = new WeakSet();
  let layer = null;

  const take = guarded((entry) => {
    if (typeof entry !== 'object' || !entry || seen.has(entry)) return;
    seen.add(entry);
    read(entry).forEach(([kind, fields]) => report(kind, fields));
  });

  function look() {
    if (layer && win[name] === layer) return;
    layer = win[name] = win[name] || [];
    const push = layer.push;
    layer.slice().forEach((entry) => take(entry));
    layer.push = function (...entries) {
      const result = push.apply(this, entries);
      entries.forEach((entry) => take(entry));
      return result;
    };
  }

  look();
  return guarded(look);
}

/** Begin to report what the page's data layers say; whether one was replaced is seen when something happens. */
export function mount(core) {
  const say = core.report(DATA_LAYER);
  const tell = (kind, fields) => say(kind, counted(kind, fields));
  const looks = [...layers(document)].map((name) => followDataLayer(window, tell, name));
  const lookAll = () => looks.forEach((look) => look());
  core.listen(window, 'load', lookAll);
  core.listen(document, 'click', () => setTimeout(lookAll));
  core.listen(document, 'visibilitychange', lookAll);
}
