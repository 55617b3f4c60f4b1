import assert from 'node:assert/strict';
import test from 'node:test';
import { decode, encode } from '../beacon/msgpack.js';

const bytes = (...list) => new Uint8Array(list).buffer;

test('what is encoded comes back', () => {
  const values = [
    null, true, false, 0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, Number.MAX_SAFE_INTEGER,
    -1, -32, -33, -1e9, 0.5, 1e300, '', 'a', 'x'.repeat(31), 'x'.repeat(32), '湯'.repeat(100), 'x'.repeat(70000 % 65536),
    [], [1, [2, ['three']]], Array.from({ length: 16 }, (_, n) => n), Array.from({ length: 300 }, () => null),
  ];
  for (const value of values) assert.deepEqual(decode(encode(value).buffer), value);
});

test('every form of number, string, array and map that a server may choose is read', () => {
  const cases = [
    [[0xcc, 200], 200], [[0xcd, 1, 0], 256], [[0xce, 255, 255, 255, 255], 4294967295], [[0xcf, 0, 0x1f, 255, 255, 255, 255, 255, 255], Number.MAX_SAFE_INTEGER],
    [[0xcb, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0], 0.5],
    [[0xd9, 1, 97], 'a'], [[0xda, 0, 1, 97], 'a'], [[0xdc, 0, 1, 5], [5]],
  ];
  for (const [form, value] of cases) assert.deepEqual(decode(bytes(...form)), value);
  for (const form of [[0x81, 0xa1, 97, 1], [0xde, 0, 1, 0xa1, 97, 1]]) {
    assert.deepEqual({ ...decode(bytes(...form)) }, { a: 1 });
  }
});

test('a key called __proto__ is a key', () => {
  const map = decode(bytes(0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x81, 0xa1, 120, 1));
  assert.equal({}.x, undefined);
  assert.equal(map.x, undefined);
});

test('what is cut short or unknown is refused', () => {
  for (const form of [[], [0x92, 1], [0xa5, 97], [0xcd, 1], [0xc1], [0xc4, 1, 0], [0xe0], [0xd0, 0x80]]) assert.throws(() => decode(bytes(...form)), RangeError);
});

test('what the protocol has no word for becomes nil', () => {
  assert.deepEqual(decode(encode([undefined, () => 1, Symbol.iterator]).buffer), [null, null, null]);
});
