// Shopify: the storefront's standard events, and the cart by its standard action.

import { PLATFORM } from '../sources.js';

/** Lines after discounts, tax as the shop shows prices, without shipping. */
export const BASIS = 'subtotalAmount, else totalAmount';

const last = (gid) => gid && String(gid).split('/').pop();

/** A product with its variant, as an item. */
export function item({ product, merchandise = {}, quantity = 1, cost }) {
  const { amount } = merchandise.price || cost?.amountPerQuantity || {};
  const of = product || merchandise.product || {};
  return { id: last(of.id || merchandise.id), name: of.title, brand: of.vendor, variant: merchandise.title, price: amount && +amount, quantity };
}

/** The storefront's cart as a snapshot. */
export function snapshot(cart) {
  const lines = cart?.lines?.nodes || cart?.lines || [];
  const money = cart?.cost?.subtotalAmount || cart?.cost?.totalAmount || {};
  return { items: lines.map(item), value: money.amount && +money.amount, currency: money.currencyCode };
}

export function mount({ followCart, guarded, hashed, listen, report }) {
  const say = report(PLATFORM);
  const take = followCart(say);
  const on = (name, work) => listen(document, `shopify:${name}`, work);
  const later = (event, work) => event.promise?.then(guarded(work), () => 0);

  let codes = new Map(); // of the cart, with whether they apply
  const note = (cart) => {
    codes = new Map((cart.discountCodes || []).map(({ code, applicable }) => [code, applicable]));
  };

  window.Shopify?.actions?.getCart?.().then(guarded(({ cart }) => {
    take(snapshot(cart));
    note(cart);
  }), () => 0);
  on('product:view', ({ context, product, selectedVariant }) => context === 'page' && say('product', {
    item: item({ product, merchandise: selectedVariant || {} }), currency: selectedVariant?.price?.currencyCode,
  }));
  on('collection:view', ({ collection, products }) => say('list', { id: collection?.handle || 'list', count: products?.length ?? 0 }));
  on('search:update', (event) => later(event, ({ totalCount, results }) => say('search', { results: totalCount ?? results?.length })));
  on('cart:view', ({ cart }) => take(snapshot(cart)));
  on('cart:lines-update', (event) => later(event, ({ cart }) => take(snapshot(cart))));
  on('cart:discount-update', (event) => later(event, async ({ cart }) => {
    take(snapshot(cart));
    const before = codes;
    note(cart);
    for (const [code, accepted] of codes) {
      if (before.get(code) !== accepted) say('coupon', { code_hash: await hashed(code), accepted });
    }
  }));
}
