// EC-CUBE 4 with its default templates: the cart's badge and sum that stand in every page's head, the rows of the cart page, and
// the counter of a list that a search has led to.

import { followClicks, number } from './looks.js';
import { PLATFORM } from '../sources.js';

/** The sum that the shop shows: with tax, before a coupon. */
export const BASIS = 'the sum shown';

/** A document's cart as a snapshot; null where it shows none. Outside the cart page its lines are unknown. */
export function snapshot(doc) {
  const text = (selector, of = doc) => of.querySelector(selector)?.textContent.trim();
  const quantity = number(text('.ec-cartNavi__badge'));
  const rows = [...doc.querySelectorAll('.ec-cartRow')];
  const totals = [...doc.querySelectorAll('.ec-cartRole__totalAmount')]; // kinds of sale have carts of their own
  if (!rows.length && !text('.ec-cartNavi__badge')) return null;
  return {
    quantity,
    value: totals.length ? totals.reduce((all, one) => all + number(one.textContent), 0) : number(text('.ec-cartNavi__price')),
    items: rows.map((row) => ({
      id: (row.querySelector('a[href*="/products/detail/"]')?.href.match(/detail\/(\d+)/) || [])[1],
      name: text('.ec-cartRow__name a', row),
      price: number(text('.ec-cartRow__unitPrice', row)),
      quantity: number(text('.ec-cartRow__amount', row)) || 1,
    })),
  };
}

/** What a search by name has found; null for any other list. */
export function results(doc, query) {
  const counter = doc.querySelector('.ec-searchnavRole__counter');
  return counter && new URLSearchParams(query).get('name') ? { results: number(counter.textContent) || 0 } : null;
}

export function mount(core) {
  const say = core.report(PLATFORM);
  const take = core.followCart(say);
  let told = '';
  followClicks(core, () => {
    const cart = snapshot(document);
    if (!cart) return;
    if (cart.items.length) return void take({ ...cart, currency: 'JPY' });
    const state = `${cart.quantity} ${cart.value}`;
    // Without its lines only the sum is known; an empty cart at the start is nothing new.
    if (state !== told && (told || cart.quantity)) say('cart', { lines: cart.quantity, quantity: cart.quantity, value: cart.value, currency: 'JPY' });
    told = state;
  });
  core.shown('search', (doc) => results(doc, location.search));
}
