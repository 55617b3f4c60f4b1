// Adobe's client data layer, with the events and contexts of Adobe Commerce storefronts.

import { counted } from './results.js';
import { DATA_LAYER } from '../sources.js';

/** The cart's subtotal without tax, after discounts as the shop applies them to lines. */
export const BASIS = 'subtotalExcludingTax';

/** A product with how many and its price, as an event's fields. */
const line = ({ product: { productId, sku, name, pricing = {} } = {}, quantity, prices: { price = {} } = {} }) => ({
  item: { id: sku || productId, name, price: price.value ?? pricing.specialPrice ?? pricing.regularPrice, quantity },
  currency: price.currency ?? pricing.currencyCode,
});

/** What was put in or taken out: the products that changed, else the page's own. */
const changed = (kind) => ({ changedProductsContext: { items } = {}, productContext: product }) => (
  (items || [{ product }]).map((one) => [kind, line(one)])
);

/** The cart as it stands; `total` is its value with its currency. */
const cart = (kind) => ({ shoppingCartContext: { items = [], prices: { subtotalExcludingTax: total } = {}, totalQuantity } = {} }) => [[
  kind, { lines: items.length, ...total, quantity: totalQuantity ?? items.length, items: items.map((one) => line(one).item) },
]];

const READ = {
  __proto__: null,
  'product-page-view': ({ productContext: product }) => [['product', line({ product })]],
  'add-to-cart': changed('cart_add'),
  'remove-from-cart': changed('cart_remove'),
  'shopping-cart-view': cart('cart'),
  'initiate-checkout': cart('checkout'),
  'search-request-sent': () => [['search', {}]],
  'place-order': ({ orderContext: { orderId: order, subtotalExcludingTax, grandTotal, shipping } = {} }) => [[
    'purchase', { order, value: subtotalExcludingTax ?? grandTotal, shipping: shipping?.shippingAmount },
  ]],
};

/** A context that was taken back is null, at whatever depth: as if it were not there. */
const present = (info) => JSON.parse(JSON.stringify(info ?? {}), (key, value) => value ?? undefined);

/** The events, as `[kind, fields]`, that an entry stands for. */
export const read = (entry) => READ[entry?.event]?.(present(entry.eventInfo)) ?? [];

export function mount({ report, guarded }) {
  const take = guarded((entry) => read(entry).forEach(([kind, fields]) => report(DATA_LAYER)(kind, counted(kind, fields))));
  const layer = window.adobeDataLayer;
  const { push } = layer;
  if (layer.addEventListener) layer.addEventListener('adobeDataLayer:event', take); // it tells of the past too
  else {
    layer.slice().forEach(take);
    layer.push = (...entries) => {
      const result = push.apply(layer, entries);
      entries.forEach(take);
      return result;
    };
  }
}
