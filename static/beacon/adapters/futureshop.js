// futureshop with Commerce Creator: ids say which page it is (`fs_ShoppingCart`, `fs_Checkout`, `fs_ProductDetails`,
// `fs_ProductSearch`), classes what its parts are (`fs-c-`), and each page's head has the number of things in the cart.

import { IN_PAGE, PLATFORM } from '../sources.js';
import { followClicks } from './looks.js';

/** None: no sum of the cart is marked. */
export const BASIS = 'none';

const PATIENCE_MS = 1000; // the data layer may know what was added by a better name
const text = (element) => element?.textContent.trim() ?? '';

/** The product at this place, by its address's last part: an id that stands on every page. */
const product = ({ pathname }, name) => ({ id: pathname?.match(/[^/]+(?=\/?$)/)?.[0], name: text(name) });

/** The cart: how many things by the number in the head, what by the cart page's table; null until the number has come. */
export function snapshot(doc) {
  const badge = doc.querySelector('.fs-p-cartItemNumber');
  const quantity = badge?.matches('.fs-client-cart-count--0') ? 0 : parseInt(text(badge), 10);
  const items = [...doc.querySelectorAll('#fs_ShoppingCart .fs-c-listedProductName__name')].map((row) => product(row, row));
  // How many of each is not marked: known only where each is there once.
  return quantity >= 0 ? { lines: items.length || quantity, quantity, items: items.length === quantity ? items : null } : null;
}

/** That a search by keyword has found nothing, or something; null for any other list. */
export function results(doc, query) {
  const page = new URLSearchParams(query).get('keyword') && doc.querySelector('#fs_ProductSearch');
  return page && { results: page.querySelector('.fs-c-productList__list__item') ? null : 0 };
}

export function mount(core) {
  const { listen, report, shown } = core;
  let before = NaN;
  let told = '';
  let wanted = null; // the product of the button that was pressed last
  listen(document, 'click', ({ target }) => {
    const button = target.closest?.('[class*="fs-c-button--addToCart"]');
    const name = document.querySelector('#fs_ProductDetails .fs-c-productNameHeading__name');
    if (button) wanted = name && !button.closest('.fs-c-productListItem') && product(location, name);
  });
  followClicks(core, () => {
    const cart = snapshot(document);
    if (!cart) return;
    const { quantity } = cart;
    if (wanted && quantity > before) {
      setTimeout(report(IN_PAGE), PATIENCE_MS, 'cart_add', { item: { ...wanted, quantity: quantity - before } });
      wanted = null;
    }
    const state = JSON.stringify(cart);
    if (state !== told && (told || quantity)) report(PLATFORM)('cart', cart);
    told = state;
    before = quantity;
  });
  shown('checkout', (doc) => doc.querySelector('#fs_Checkout, #fs_CheckoutWithAmazon') && {});
  shown('search', (doc) => results(doc, location.search));
}
