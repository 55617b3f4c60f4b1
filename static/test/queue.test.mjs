import assert from 'node:assert/strict';
import test from 'node:test';
import { createQueue } from '../beacon/queue.js';

const A = '000000001aaaaaaaa';
const B = '000000002bbbbbbbb';
const numbers = (batches) => batches.map(([, page, first, events]) => [page, first, events.map((event) => event[2])]);

/** A queue over a map, on a clock that tests turn. */
function world(kept = new Map(), page = A) {
  const clock = { now: 1000 };
  const store = {
    get: (key) => JSON.parse(kept.get(key) || 'null'),
    set: (key, value) => value === null ? kept.delete(key) : kept.set(key, JSON.stringify(value)),
    keys: (prefix) => [...kept.keys()].filter((key) => key.startsWith(prefix)),
  };
  const queue = createQueue(store, page, () => clock.now);
  const flush = () => {
    const batches = queue.batches();
    queue.sent(batches);
    return numbers(batches);
  };
  return { clock, kept, queue, flush };
}

test('events are numbered from one, and each is sent once until it is asked for again', () => {
  const { queue, flush } = world();
  queue.add([2, 'a', 1]);
  queue.add([2, 'b', 1]);
  assert.deepEqual(flush(), [[A, 1, ['a', 'b']]]);
  queue.add([2, 'c', 1]);
  assert.deepEqual(flush(), [[A, 3, ['c']]]);
  assert.deepEqual(flush(), []);
  assert.equal(queue.rewind(A, 2), true);
  assert.deepEqual(flush(), [[A, 2, ['b', 'c']]]);
  queue.ack(A, 3);
  assert.equal(queue.waiting(), false);
});

test('an event says how long ago it happened when it is sent, never less than nothing', () => {
  const { clock, queue } = world();
  queue.add([2, 'a', 1]);
  clock.now += 1500;
  assert.equal(queue.batches()[0][3][0][1], 1500);
  clock.now -= 9000;
  assert.equal(queue.batches()[0][3][0][1], 0);
});

test('what a page left is sent by the next one under its own id, older pages first', async () => {
  const first = world();
  first.queue.add([2, 'a', 1]);
  await Promise.resolve();
  const next = world(first.kept, B);
  next.queue.load();
  next.queue.add([2, 'b', 1]);
  assert.deepEqual(next.flush(), [[A, 1, ['a']], [B, 1, ['b']]]);
  next.queue.ack(A, 1);
  await Promise.resolve();
  assert.deepEqual([...next.kept.keys()], [`q.${B}`]);
});

test('what is older than a session can be is not sent into the next one', async () => {
  const first = world();
  first.queue.add([2, 'a', 1]);
  await Promise.resolve();
  const next = world(first.kept, B);
  next.clock.now += 31 * 60000;
  next.queue.load();
  assert.deepEqual(next.flush(), []);
  assert.equal(next.kept.size, 0);
});

test('welcome: what is stored goes, the rest is sent again', () => {
  const { queue, flush } = world();
  for (const name of 'abc') queue.add([2, name, 1]);
  flush();
  assert.equal(queue.settle({ [A]: 2 }), true);
  assert.deepEqual(flush(), [[A, 3, ['c']]]);
});

test('a service that lacks what it had acknowledged cannot go on with this page, but with a new one', () => {
  const { queue, flush } = world();
  for (const name of 'abc') queue.add([2, name, 1]);
  flush();
  queue.ack(A, 2);
  assert.equal(queue.settle({}), false);
  queue.renew(B, [[1, 'page', '/']]);
  assert.deepEqual(flush(), [[B, 1, ['page', 'c']]]);
});

test('an earlier page that the service forgot is given up, the current one is not', () => {
  const { queue } = world();
  queue.add([2, 'a', 1]);
  queue.page = B;
  queue.add([2, 'b', 1]);
  assert.equal(queue.rewind(A, 0), true);
  assert.equal(queue.rewind(B, 0), false);
  assert.deepEqual(numbers(queue.batches()), [[B, 1, ['b']]]);
});

test('at most 64 events a batch, 256 on their way, and dwell goes first when the line is full', () => {
  const { queue, flush } = world();
  for (let n = 0; n < 300; n++) queue.add([2, n, 1]);
  const sent = flush();
  assert.deepEqual(sent.map(([, first, events]) => [first, events.length]), [[1, 64], [65, 64], [129, 64], [193, 64]]);
  queue.add([14, 5, 1]);
  queue.ack(A, 256);
  assert.deepEqual(flush().map(([, first, events]) => [first, events.length]), [[257, 44]]);
});

test('the farewell carries the oldest batch, sent or not', () => {
  const { queue, flush } = world();
  assert.equal(queue.last(), undefined);
  queue.add([2, 'a', 1]);
  flush();
  queue.add([2, 'b', 1]);
  assert.deepEqual(numbers([queue.last()]), [[A, 1, ['a', 'b']]]);
});
