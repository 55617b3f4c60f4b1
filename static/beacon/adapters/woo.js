// WooCommerce: its page events say that the cart changed, its Store API says how; its lists say what a search has found.

import { largest } from './looks.js';
import { PLATFORM } from '../sources.js';

/** Items after discounts, tax as the Store API gives its totals (without), no shipping. */
export const BASIS = 'total_items - total_discount';

const CHANGED = ['added_to_cart', 'removed_from_cart', 'updated_cart_totals', 'wc-blocks_added_to_cart', 'wc-blocks_removed_from_cart'];

/** The Store API gives names as HTML. */
const plain = (name) => name?.replace(/&(?:amp|#(\d+));/g, (all, code = 38) => String.fromCodePoint(code));

/** The Store API's cart as a snapshot. */
export function snapshot({ items = [], totals = {} }) {
  const major = (amount, { currency_minor_unit: digits = 0 } = totals) => amount / 10 ** digits;
  return {
    items: items.map(({ id, name, quantity, prices = {} }) => ({ id, name: plain(name), quantity, price: major(prices.price, prices) })),
    value: major(totals.total_items - (totals.total_discount || 0)),
    currency: totals.currency_code,
  };
}

/** What a search has found by the classic templates: "1–12 of 30", a word for the only one, or that there is none. */
export function results(doc) {
  const said = doc.querySelector('.search .woocommerce-result-count, .search .woocommerce-no-products-found');
  return said && { results: largest(said.textContent) || +said.matches('.woocommerce-result-count') };
}

export function mount({ followCart, guarded, hashed, listen, report, shown }) {
  const say = report(PLATFORM);
  const take = followCart(say);
  const root = document.querySelector('[rel="https://api.w.org/"]')?.href || '/wp-json/';
  let asked = 0;
  let taken = 0;
  const look = guarded(async () => {
    const mine = ++asked;
    const answer = await fetch(root + 'wc/store/v1/cart');
    const cart = answer.ok && await answer.json(); // an error may be any page: no fault of the adapter's
    if (!cart || mine < taken) return; // a later question's answer that came first knows better
    taken = mine;
    take(snapshot(cart));
  });
  const on = (name, work) => {
    listen(document, name, work);
    window.jQuery?.('body').on(name, guarded(work));
  };
  CHANGED.forEach((name) => on(name, look));
  on('init_checkout', () => say('checkout'));
  on('payment_method_selected', () => say('payment', { result: 'started' }));
  const coupon = async (event, code) => code && say('coupon', { code_hash: await hashed(code), accepted: true });
  on('applied_coupon', coupon);
  on('applied_coupon_in_checkout', coupon);
  look();
  shown('search', results);
}
