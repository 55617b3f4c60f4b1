// Segment's analytics.js: its e-commerce events (v2), as they are tracked.

import { counted } from './results.js';
import { DATA_LAYER } from '../sources.js';

/** What the shop tracks: `total`, else `value`, else `revenue`. */
export const BASIS = 'total, else value, else revenue';

const item = (given) => ({ ...given, id: given.product_id || given.sku, quantity: +(given.quantity ?? 1) });
const money = ({ total, value, revenue, currency, coupon }) => ({ value: total ?? value ?? revenue, currency, coupon });
const one = (kind) => (given) => [[kind, { item: item(given), value: given.value, currency: given.currency }]];

const READ = {
  __proto__: null,
  'Product List Viewed': ({ list_id, category, products = [] }) => [['list', { id: list_id || category || 'list', count: products.length }]],
  'Products Searched': () => [['search', {}]],
  'Product Viewed': one('product'),
  'Product Added': one('cart_add'),
  'Product Removed': one('cart_remove'),
  'Product Added to Wishlist': one('wishlist'),
  'Cart Viewed': (given) => {
    const items = (given.products || []).filter(Boolean).map(item);
    const sum = items.reduce((total, { price = 0, quantity }) => total + price * quantity, 0);
    const quantity = items.reduce((count, each) => count + each.quantity, 0);
    return [['cart', { ...money(given), value: money(given).value ?? sum, lines: items.length, quantity, items }]];
  },
  'Checkout Started': (given) => [['checkout', money(given)]],
  'Checkout Step Viewed': ({ step }) => [['checkout_step', { number: step }]],
  'Payment Info Entered': ({ payment_method }) => [['payment', { method: payment_method, result: 'started' }]],
  'Order Completed': (given) => [['purchase', { ...money(given), order: given.order_id, tax: given.tax, shipping: given.shipping }]],
};

/** The events, as `[kind, fields]`, that a tracked event stands for. */
export const read = (name, given) => READ[name]?.(given || {}) ?? [];

export function mount({ report, guarded }) {
  const say = report(DATA_LAYER);
  const tell = ([kind, fields]) => say(kind, counted(kind, fields));
  window.analytics?.on?.('track', guarded((name, given) => read(name, given).forEach(tell)));
  window.analytics?.on?.('page', guarded((category, name, given) => say('page', { path: given?.path, title: given?.title })));
}
