// What adapters make of what platforms say, and of what they might.

import assert from 'node:assert/strict';
import test from 'node:test';
import { changes, followCart } from '../beacon/adapters/snapshot.js';
import { found } from '../beacon/adapters/detect.js';
import { largest, number } from '../beacon/adapters/looks.js';
import { product } from '../beacon/adapters/jsonld.js';
import { read as adobe } from '../beacon/adapters/adobe.js';
import { read as segment } from '../beacon/adapters/segment.js';
import { snapshot as magento } from '../beacon/adapters/magento.js';
import { snapshot as shopify } from '../beacon/adapters/shopify.js';
import { snapshot as woo } from '../beacon/adapters/woo.js';

const item = (id, quantity) => ({ id, quantity });

test('two snapshots differ by what came and went', () => {
  assert.deepEqual(changes([item('a', 1), item('b', 2)], [item('a', 3), item('c', 1)]), [
    ['cart_add', item('a', 2)], ['cart_remove', item('b', 2)], ['cart_add', item('c', 1)],
  ]);
  assert.deepEqual(changes([item('a', 1), item('a', 1)], [item('a', 2)]), [], 'two lines of one thing are as good as one');
});

test('a cart is told when it is another, and not as an addition at the start', () => {
  const told = [];
  const take = followCart((kind, fields) => told.push([kind, fields.item?.id ?? fields.quantity]));
  take({ items: [], value: 0 });
  take({ items: [item('a', 1)], value: 5 });
  take({ items: [item('a', 1)], value: 5 });
  take({ items: [item('a', 1)], value: 4 });
  assert.deepEqual(told, [['cart_add', 'a'], ['cart', 1], ['cart', 1]]);
  const later = [];
  followCart((kind) => later.push(kind))({ items: [item('a', 1)], value: 5 });
  assert.deepEqual(later, ['cart']);
});

test('what is missing or of another form makes no fault', () => {
  for (const cart of [null, undefined, {}, { lines: [] }, { lines: { nodes: [] } }]) assert.deepEqual(shopify(cart).items, []);
  assert.deepEqual(woo({}).items, []);
  assert.deepEqual(magento().items, []);
  for (const entry of [null, undefined, 7, {}, { event: 'constructor' }, { event: 'add-to-cart-x' }]) assert.deepEqual(adobe(entry), []);
  assert.deepEqual(adobe({ event: 'shopping-cart-view' })[0][1].items, []);
  assert.equal(adobe({ event: 'add-to-cart', eventInfo: { productContext: null, changedProductsContext: { items: null } } })[0][1].item.id, undefined);
  assert.deepEqual(segment('__proto__', null), []);
  assert.deepEqual(segment('Order Completed'), [['purchase', { value: undefined, currency: undefined, coupon: undefined, order: undefined, tax: undefined, shipping: undefined }]]);
});

test('money is in major units', () => {
  const cart = woo({ items: [{ id: 1, quantity: 1, prices: { price: '1999', currency_minor_unit: 2 } }], totals: { total_items: '1999', currency_minor_unit: 2, currency_code: 'EUR' } });
  assert.deepEqual([cart.value, cart.items[0].price, cart.currency], [19.99, 19.99, 'EUR']);
  const yen = woo({ items: [], totals: { total_items: '3300', currency_minor_unit: 0 } });
  assert.equal(yen.value, 3300);
});

test('a page that declares several products is about none of them', () => {
  const one = { '@type': 'Product', sku: 'a', offers: { price: 1, priceCurrency: 'JPY' } };
  assert.equal(product([one]).item.id, 'a');
  assert.equal(product([[one]]).item.price, 1);
  assert.equal(product([{ '@graph': [one, { ...one, sku: 'b' }] }]), null);
  assert.equal(product([null, 7, 'x', { '@type': 'ItemList', itemListElement: [one] }]), null);
});

test('an offer may be missing, alone or a list, with its price in words of its own', () => {
  const price = (offers) => product([{ '@type': 'Product', sku: 'a', offers }])?.item.price;
  assert.equal(price(null), undefined);
  assert.equal(price([]), undefined);
  assert.equal(price([{ lowPrice: 3, priceCurrency: 'JPY' }]), 3);
  assert.equal(price({ priceCurrency: 'JPY', priceSpecification: { price: 5 } }), 5);
  assert.equal(product([{ '@type': 'Product', sku: 'a', offers: { priceCurrency: 'JPY', priceSpecification: [{ price: 5 }] } }]).currency, 'JPY');
});

test('numbers are read as they are shown', () => {
  assert.deepEqual(['￥３，３００', '3,300円（税込）', '', null, 'なし'].map(number), [3300, 3300, null, null, null]);
  assert.deepEqual(['1–12 / 30', '30件中 13–24件', 'all 5 results', 'the single result', ''].map(largest), [30, 30, 5, 0, 0]);
});

test('what the Store API names in HTML is text', () => {
  const named = (name) => woo({ items: [{ id: 1, quantity: 1, name }] }).items[0].name;
  assert.equal(named('Cup &amp; plate &#8211; &#038; blue'), 'Cup & plate – & blue');
  assert.equal(named(undefined), undefined);
});

test('an address may name the adapters, and only those that there are', () => {
  const win = { document: { querySelector: () => null }, Shopify: {} };
  assert.deepEqual(found(win, null), ['shopify']);
  assert.deepEqual(found(win, 'none'), []);
  assert.deepEqual(found(win, 'woo,constructor,segment'), ['woo', 'segment']);
});
