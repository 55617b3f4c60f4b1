import assert from 'node:assert/strict';
import test from 'node:test';
import { delay, fate } from '../beacon/link.js';
import { fits, messageId, pageId, route } from '../beacon/ids.js';
import { createSources, DATA_LAYER, IN_PAGE, TRACKED } from '../beacon/sources.js';
import { guarded } from '../beacon/guard.js';
import { pack } from '../beacon/kinds.js';
import { pageType } from '../beacon/page.js';
import { read } from '../beacon/adapters/ga4.js';
import { countdown } from '../beacon/cards/countdown.js';

const memory = () => {
  const kept = new Map();
  return { get: (key) => kept.get(key), set: (key, value) => kept.set(key, value) };
};

test('the range of a close code says what to do', () => {
  const asked = { stop: [1003, 1009, 4000, 4005, 4099], again: [1000, 1001, 1006, 1011, 4100, 4106, 4199, 4300, 0], anew: [4200, 4299] };
  for (const [what, codes] of Object.entries(asked)) for (const code of codes) assert.equal(fate(code), what, String(code));
});

test('coming back is spread over the whole of a delay that doubles from one second to thirty', () => {
  assert.equal(delay(0, () => 0), 0);
  assert.deepEqual([0, 1, 2, 5, 60].map((tries) => delay(tries, () => 1)), [1000, 2000, 4000, 30000, 30000]);
});

test('page ids sort by age and have seventeen characters', () => {
  const ids = [1, 1e12, Date.now(), 1e14].map((now) => pageId(now));
  assert.deepEqual([...ids].sort(), ids);
  for (const id of ids) assert.match(id, /^[0-9a-z]{17}$/);
  assert.match(messageId(), /^[0-9a-z]{16}$/);
});

test('the route is the first half of the hash of the session id', async () => {
  assert.equal(await route('S.demo.abc.sig'), 'ba7816bf8f01cfea414140de5dae2223');
  assert.equal(await route(null), 'new');
  assert.equal(await route('S.demo.abc.sig', undefined), 'ba7816bf8f01cfea414140de5dae2223');
  assert.equal(await route('S.demo.abc.sig', null), 'new');
});

test('only what the service could have signed for this site is a token', () => {
  const sid = 'a'.repeat(22);
  assert.ok(fits(`S.demo.${sid}.${sid}`, 'S', 'demo'));
  for (const token of [null, '', `V.demo.${sid}.${sid}`, `S.other.${sid}.${sid}`, `S.demo.short.${sid}`, `S.demo.${sid}.`, `S.demo.${sid}.${'x'.repeat(200)}`, `S.demo.${sid}.a b`]) {
    assert.ok(!fits(token, 'S', 'demo'), String(token));
  }
});

test('an event fits its type or does not exist', () => {
  assert.deepEqual(pack('list', { id: 'all', count: '3' }), [2, 'all', 3]);
  assert.equal(pack('list', { id: 'all' }), null);
  assert.equal(pack('list', { id: '', count: 1 }), null);
  assert.equal(pack('constructor', {}), null);
  assert.deepEqual(pack('checkout', { value: -1, currency: 'yen!', coupon: 5 }), [9, null, null, '5']);
  assert.deepEqual(pack('product', { item: { id: 7, price: '1.5', quantity: 'many' }, currency: 'jpy' }), [4, ['7', null, null, null, null, 1.5, 1], null, 'JPY']);
  assert.equal(pack('page', { type: 'x'.repeat(99), path: '/'.repeat(999) })[2].length, 300);
  assert.equal(pack('cart', { lines: 1, quantity: 1, items: Array(50).fill({ id: 'a' }) })[5].length, 20);
  assert.deepEqual(pack('dwell', { ms: 5e6, state: 2 }), [14, 5e6, 2]);
});

test('two sources of one action are a pair, two reports of one source are two actions', () => {
  let now = 0;
  const admit = createSources(memory(), () => now);
  const cup = { item: { id: 'cup' } };
  assert.ok(admit(DATA_LAYER, 'cart_add', cup));
  assert.ok(!admit(TRACKED, 'cart_add', cup), 'the second report of the pair');
  assert.ok(!admit(DATA_LAYER, 'cart_add', cup), 'outranked from now on');
  assert.ok(admit(TRACKED, 'cart_add', cup));
  assert.ok(admit(TRACKED, 'cart_add', cup), 'a second tap');
  assert.ok(admit(DATA_LAYER, 'cart_remove', cup), 'another kind');
  now += 2500;
  assert.ok(admit(TRACKED, 'cart_remove', cup), 'too late to be the same action');
});

test('what stands in the page counts as long as nobody else has told of its kind', () => {
  let now = 0;
  const admit = createSources(memory(), () => now);
  assert.ok(admit(IN_PAGE, 'search', { results: 0 }));
  now += 5000;
  assert.ok(admit(IN_PAGE, 'search', { results: 0 }), 'the next page view of a single-page app');
  assert.ok(admit(DATA_LAYER, 'product', { item: { id: 'cup' } }));
  now += 5000;
  assert.ok(!admit(IN_PAGE, 'product', { item: { id: 'CUP-1' } }), 'later, and by another name');
  assert.ok(admit(DATA_LAYER, 'product', { item: { id: 'pot' } }));
  assert.ok(admit(TRACKED, 'product', { item: { id: 'mug' } }), 'who ranks higher is not mute');
});

test('what platforms\' addresses say of a page', () => {
  const type = (path) => pageType({ querySelector: () => null }, path);
  const types = {
    product: ['/products/detail/42', '/product/cup', '/p/cup', '/shopdetail/000000000642/', '/view/item/000000000642', '/products/list-holder'],
    list: ['/products/list', '/p/search', '/shopbrand/tea/', '/view/category/tea', '/view/search', '/collections/tea'],
    cart: ['/shop/basket.html', '/p/cart', '/view/cart', '/cart'],
    checkout: ['/p/order', '/checkout/'],
    other: ['/basketry', '/shop/order', '/news/list'],
  };
  for (const [wanted, paths] of Object.entries(types)) for (const path of paths) assert.equal(type(path), wanted, path);
});

test('a failed payment is no repetition of its beginning', () => {
  const admit = createSources(memory(), () => 0);
  assert.ok(admit(DATA_LAYER, 'payment', { method: 'card', result: 'started' }));
  assert.ok(admit(TRACKED, 'payment', { result: 'failed' }));
});

test('a purchase counts once an order number, also on the next page', () => {
  const store = memory();
  assert.ok(createSources(store, () => 0)(DATA_LAYER, 'purchase', { order: 'T1' }));
  assert.ok(!createSources(store, () => 0)(DATA_LAYER, 'purchase', { order: 'T1' }));
  assert.ok(createSources(store, () => 0)(DATA_LAYER, 'purchase', { order: 'T2' }));
});

test('both forms of a data layer entry are read, all else is nothing', () => {
  const data = { currency: 'JPY', value: 10, items: [{ item_id: 'a', price: 4 }, { item_id: 'b', price: 6 }] };
  const [[kind, first], [, second]] = read({ event: 'add_to_cart', ecommerce: data });
  assert.deepEqual([kind, first.item.id, second.item.id, first.value], ['cart_add', 'a', 'b', undefined]);
  assert.deepEqual(read({ 0: 'event', 1: 'view_cart', 2: { ...data, value: undefined }, length: 3 })[0][1].value, 10);
  for (const entry of [null, undefined, 1, 'event', [], {}, { event: 'toString' }, { event: 'gtm.js' }, ['config', 'G-1']]) assert.deepEqual(read(entry), []);
});

test('three faults silence what is guarded, and none is thrown', async () => {
  let calls = 0;
  const run = guarded(() => { calls++; throw new Error('fault'); });
  for (let n = 0; n < 5; n++) run();
  assert.equal(calls, 3);
  let promises = 0;
  const later = guarded(async () => { promises++; throw new Error('fault'); });
  for (let n = 0; n < 5; n++) await later()?.catch(() => 0);
  assert.equal(promises, 3);
});

test('a countdown reads like a clock', () => {
  assert.deepEqual([0, 59, 60, 1799, 3600, 36061].map(countdown), ['0:00', '0:59', '1:00', '29:59', '1:00:00', '10:01:01']);
});
