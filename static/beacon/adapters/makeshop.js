// MakeShop in creator mode. The markup is each shop's own, but what the platform's script works with bears the platform's marks:
// `data-id="makeshop-..."` at prices and quantities, `#makeshop-...-url` as links, `#makeshop-page-...-data` with the page's data.

import { followClicks, number } from './looks.js';
import { PLATFORM } from '../sources.js';

/** A product's price with tax; of the cart no sum is marked. */
export const BASIS = 'makeshop-item-price, with tax';

const QUANTITY = 'makeshop-common-cart-quantity:';

/** The product that this page sells, as an event's fields; null on any other page. */
export function product(doc) {
  const id = doc.querySelector('#makeshop-page-item-cart-data')?.dataset.brandcode;
  const name = doc.querySelector('meta[property="og:title"]')?.content;
  const price = number(doc.querySelector('[data-id^="makeshop-item-price:"]')?.textContent);
  return id ? { item: { id, name, price }, currency: 'JPY' } : null;
}

/** The cart's lines, wherever the page shows them and however often. */
export function items(doc) {
  const lines = new Map();
  for (const field of doc.querySelectorAll(`[data-id^="${QUANTITY}"]`)) {
    const [id] = field.dataset.id.slice(QUANTITY.length).split('-');
    const links = [...doc.querySelectorAll(`a[href*="/view/item/${id}"]`)];
    // What is typed into the field is no change yet.
    const quantity = +(field.getAttribute('value') ?? field.value) || 1;
    lines.set(field.dataset.id, { id, name: links.map(({ textContent }) => textContent.trim()).find(Boolean), quantity });
  }
  return [...lines.values()];
}

export function mount(core) {
  const say = core.report(PLATFORM);
  const take = core.followCart(say);
  let seen = false;
  followClicks(core, () => {
    const lines = items(document);
    seen = seen || lines.length > 0;
    if (seen) take({ items: lines });
  });
  core.listen(document, 'click', ({ target }) => {
    if (target.closest?.('[href="#makeshop-common-order-url"]')) say('checkout', {});
  });
  core.shown('product', product);
}
