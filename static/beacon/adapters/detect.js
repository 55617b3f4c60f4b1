// What a shop is made with, by what its page has; each finding has an adapter, a chunk of its own. `adapters=` in the script's
// address names them instead, `adapters=none` none.

import { followCart, hashed } from './snapshot.js';

const SIGNS = {
  __proto__: null,
  shopify: (win) => win.Shopify,
  segment: (win) => win.analytics?.on,
  adobe: (win) => win.adobeDataLayer?.push,
  woo: (win, doc) => win.wc_add_to_cart_params || doc.querySelector('.woocommerce, .woocommerce-page, [class*="wc-block-"]'),
  magento: (win, doc) => doc.querySelector('script[type="text/x-magento-init"], [data-mage-init]'),
  eccube: (win, doc) => doc.querySelector('.ec-layoutRole, .ec-cartNavi'),
  jsonld: (win, doc) => doc.querySelector('script[type="application/ld+json"]'),
};

/** The names of the adapters that this page wants. */
export function found(win, named) {
  if (named) return named.split(',').filter((name) => SIGNS[name]);
  return Object.keys(SIGNS).filter((name) => SIGNS[name](win, win.document));
}

/** Fetch what this page wants; `core` gets what adapters share. */
export function followShop(core) {
  Object.assign(core, { followCart, hashed });
  for (const name of found(window, core.address.searchParams.get('adapters'))) core.guarded(core.chunk(name))();
}
