// WooCommerce: its page events say that the cart changed, its Store API says how.

import { PLATFORM } from '../sources.js';

/** Items after discounts, tax as the Store API gives its totals (without), no shipping. */
export const BASIS = 'total_items - total_discount';

const CHANGED = ['added_to_cart', 'removed_from_cart', 'updated_cart_totals', 'wc-blocks_added_to_cart', 'wc-blocks_removed_from_cart'];

/** The Store API's cart as a snapshot. */
export function snapshot({ items = [], totals = {} }) {
  const major = (amount, { currency_minor_unit: digits = 0 } = totals) => amount / 10 ** digits;
  return {
    items: items.map(({ id, name, quantity, prices = {} }) => ({ id, name, quantity, price: major(prices.price, prices) })),
    value: major(totals.total_items - (totals.total_discount || 0)),
    currency: totals.currency_code,
  };
}

export function mount({ followCart, guarded, hashed, listen, report }) {
  const say = report(PLATFORM);
  const take = followCart(say);
  const root = document.querySelector('link[rel="https://api.w.org/"]')?.href || '/wp-json/';
  const look = guarded(async () => {
    const answer = await fetch(`${root}wc/store/v1/cart`);
    if (answer.ok) take(snapshot(await answer.json()));
  });
  const on = (name, work) => {
    listen(document, name, work);
    window.jQuery?.(document.body).on(name, guarded(work));
  };
  CHANGED.forEach((name) => on(name, look));
  on('init_checkout', () => say('checkout', {}));
  on('payment_method_selected', () => say('payment', { result: 'started' }));
  for (const name of ['applied_coupon', 'applied_coupon_in_checkout']) {
    on(name, async (event, code) => code && say('coupon', { code_hash: await hashed(code), accepted: true }));
  }
  look();
}
