// EC-CUBE 4 with its default templates: the cart's badge and sum that stand in every page's head, and the rows of the cart page.

import { PLATFORM } from '../sources.js';

/** The sum that the shop shows: with tax, before a coupon. */
export const BASIS = 'the sum shown';

const LOOK_MS = 300; // the head is drawn anew a moment after a cart button
const number = (text) => +String(text || '').normalize('NFKC').replace(/[^\d.]/g, '');

/** A document's cart as a snapshot; null where it shows none. Outside the cart page its lines are unknown. */
export function snapshot(doc) {
  const text = (selector, of = doc) => of.querySelector(selector)?.textContent.trim();
  const quantity = number(text('.ec-cartNavi__badge'));
  const rows = [...doc.querySelectorAll('.ec-cartRow')];
  if (!rows.length && !text('.ec-cartNavi__badge')) return null;
  return {
    quantity,
    value: number(text('.ec-cartRole__totalAmount') || text('.ec-cartNavi__price')),
    items: rows.map((row) => ({
      id: (row.querySelector('a[href*="/products/detail/"]')?.href.match(/detail\/(\d+)/) || [])[1],
      name: text('.ec-cartRow__name a', row),
      price: number(text('.ec-cartRow__unitPrice', row)),
      quantity: number(text('.ec-cartRow__amount', row)) || 1,
    })),
  };
}

export function mount({ followCart, guarded, listen, report }) {
  const say = report(PLATFORM);
  const take = followCart(say);
  let told = '';
  const look = guarded(() => {
    const cart = snapshot(document);
    if (!cart) return;
    if (cart.items.length) return void take({ ...cart, currency: 'JPY' });
    const state = `${cart.quantity} ${cart.value}`;
    // Without its lines only the sum is known; an empty cart at the start is nothing new.
    if (state !== told && (told || cart.quantity)) say('cart', { lines: cart.quantity, quantity: cart.quantity, value: cart.value, currency: 'JPY' });
    told = state;
  });
  look();
  listen(document, 'click', () => setTimeout(look, LOOK_MS));
}
