// Adobe's client data layer, with the events and contexts of Adobe Commerce storefronts.

import { DATA_LAYER } from '../sources.js';

/** The cart's subtotal without tax, after discounts as the shop applies them to lines. */
export const BASIS = 'subtotalExcludingTax';

const product = ({ productId, sku, name, pricing = {} }) => ({ id: sku || productId, name, price: pricing.specialPrice ?? pricing.regularPrice });
const priced = ({ productContext: of = {} }) => ({ item: product(of), currency: of.pricing?.currencyCode });

function cart({ shoppingCartContext: of = {} }) {
  const items = (of.items || []).map(({ product: about = {}, quantity = 1, prices }) => ({ ...product(about), price: prices?.price?.value, quantity }));
  const total = of.prices?.subtotalExcludingTax || {};
  return { lines: items.length, quantity: of.totalQuantity ?? items.length, value: total.value, currency: total.currency, items };
}

const READ = {
  __proto__: null,
  'product-page-view': (about) => ['product', priced(about)],
  'add-to-cart': (about) => ['cart_add', priced(about)],
  'remove-from-cart': (about) => ['cart_remove', priced(about)],
  'shopping-cart-view': (about) => ['cart', cart(about)],
  'initiate-checkout': (about) => ['checkout', cart(about)],
  'search-request-sent': () => ['search', {}],
  'place-order': ({ orderContext: of = {} }) => ['purchase', { order: of.orderId, value: of.subtotalExcludingTax ?? of.grandTotal, shipping: of.shipping?.shippingAmount }],
};

/** The event, as `[kind, fields]`, that an entry stands for; null for any other. */
export const read = (entry) => READ[entry?.event]?.(entry.eventInfo || {}) ?? null;

export function mount({ report, guarded }) {
  const say = report(DATA_LAYER);
  const take = guarded((entry) => {
    const found = read(entry);
    if (found) say(...found);
  });
  const layer = window.adobeDataLayer;
  if (layer.addEventListener) return layer.addEventListener('adobeDataLayer:event', take); // it tells of the past too
  const { push } = layer;
  [...layer].forEach((entry) => take(entry));
  layer.push = function (...entries) {
    const result = push.apply(this, entries);
    entries.forEach((entry) => take(entry));
    return result;
  };
  return undefined;
}
