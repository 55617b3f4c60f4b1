// Magento (Luma and what follows its ways): the cart section of its customer data, and what its search page shows.

import { largest } from './looks.js';
import { PLATFORM } from '../sources.js';

/** The subtotal that the minicart shows: tax as the shop shows prices, before cart rules. */
export const BASIS = 'subtotalAmount';

/** The cart section as a snapshot. */
export function snapshot({ items = [], subtotalAmount } = {}) {
  return {
    items: items.map((line) => ({ id: line.product_sku || line.product_id, name: line.product_name, price: line.product_price_value, quantity: +line.qty || 1 })),
    value: subtotalAmount == null ? undefined : +subtotalAmount,
  };
}

/** What an earlier page has left of it. */
function stored() {
  try {
    return JSON.parse(localStorage.getItem('mage-cache-storage')).cart;
  } catch {
    return null;
  }
}

/** What a search has found by the search page's toolbar; without one its notice says that it was nothing. */
export function results(doc) {
  const page = doc.querySelector('.catalogsearch-result-index');
  const amount = page?.querySelector('.toolbar-amount');
  if (amount) return { results: largest(amount.textContent) };
  return page?.querySelector('.column.main .message.notice') ? { results: 0 } : null;
}

export function mount({ followCart, guarded, report, shown }) {
  const take = followCart(report(PLATFORM));
  const look = guarded((section) => section?.items && take(snapshot(section)));
  look(stored());
  window.require?.(['Magento_Customer/js/customer-data'], guarded((data) => {
    const cart = data.get('cart');
    look(cart());
    cart.subscribe(look);
  }));
  shown('search', results);
}
