// What a shop is made with, by what its page has; each finding has an adapter, a chunk of its own. `adapters=` in the script's
// address names them instead, `adapters=none` none.

import { IN_PAGE } from '../sources.js';
import { followCart, hashed } from './snapshot.js';
import { stated } from './results.js';

const PATIENCE_MS = 1000;

const has = (selector) => (win) => win.document.querySelector(selector);

const SIGNS = {
  __proto__: null,
  shopify: (win) => win.Shopify,
  segment: (win) => win.analytics?.on,
  adobe: (win) => win.adobeDataLayer?.push,
  woo: (win) => win.wc_add_to_cart_params || win.document.querySelector('.woocommerce, .woocommerce-page, [class*="wc-block-"]'),
  magento: has('[type="text/x-magento-init"], [data-mage-init]'),
  eccube: has('.ec-layoutRole, .ec-cartNavi'),
  makeshop: has('[id^="makeshop-page-"]'),
  futureshop: has('[class*="fs-c-"]'),
  jsonld: has('[type="application/ld+json"]'),
};

/** The names of the adapters that this page wants. */
export function found(win, named) {
  if (named) return named.split(',').filter((name) => SIGNS[name]);
  return Object.keys(SIGNS).filter((name) => SIGNS[name](win));
}

/**
 * A function that takes a kind and how to read its fields in the page. What is read is told once, a search once a page
 * view, where nobody else has told that kind within a second.
 */
export function followShown({ guarded, on, report }) {
  const readers = [];
  const told = {};
  let timer = 0;
  const look = () => {
    for (const [kind, read] of readers) {
      if (told[kind]) continue;
      told[kind] = guarded(read)(document);
      if (told[kind]) report(IN_PAGE)(kind, told[kind]);
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(look, PATIENCE_MS);
  };
  on('page', () => {
    told.search = false;
    later();
  });
  return (...reader) => {
    readers.push(reader);
    later();
  };
}

/** Fetch what this page wants; `core` gets what adapters share. */
export function followShop(core) {
  core.followCart = followCart;
  core.hashed = hashed;
  core.shown = followShown(core);
  core.shown('search', () => stated() >= 0 && { results: stated() });
  found(window, core.address.searchParams.get('adapters')).forEach((name) => core.guarded(core.chunk(name))());
}
