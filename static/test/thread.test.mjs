import assert from 'node:assert/strict';
import test from 'node:test';
import { createThread, isOver } from '../beacon/widget/thread.js';

const line = (offset, text, mid = `m${offset}`, author = 'agent') => ({ offset, author, mid, text, at: 0 });
const texts = (thread) => thread.lines.map((each) => each.text);

test('lines stand once and in order', () => {
  const thread = createThread();
  assert.equal(thread.take(line(1, 'a')), 'new');
  assert.equal(thread.take(line(1, 'a')), 'known');
  assert.equal(thread.take(line(3, 'c')), 'gap');
  assert.equal(thread.take(line(2, 'b')), 'new');
  assert.equal(thread.take(line(3, 'c')), 'new');
  assert.deepEqual(texts(thread), ['a', 'b', 'c']);
});

test('an own message is pending until it is stored, and stands once whichever answer comes first', () => {
  for (const order of ['echo first', 'stored first', 'no echo']) {
    const thread = createThread();
    thread.send('mine', 'hello', 0);
    assert.deepEqual(thread.unsent().map((own) => own.mid), ['mine']);
    if (order === 'echo first') thread.take(line(1, 'hello', 'mine', 'shopper'));
    thread.stored('mine', 1);
    if (order === 'stored first') thread.take(line(1, 'hello', 'mine', 'shopper'));
    assert.deepEqual([texts(thread), thread.pending, thread.offset], [['hello'], [], 1], order);
  }
});

test('a stored message waits for the lines before it', () => {
  const thread = createThread();
  thread.send('mine', 'second', 0);
  thread.stored('mine', 2);
  assert.deepEqual([texts(thread), thread.unsent()], [[], []]);
  thread.take(line(1, 'first'));
  assert.deepEqual([texts(thread), thread.pending], [['first', 'second'], []]);
});

test('a refused message is not sent again', () => {
  const thread = createThread([{ mid: 'mine', text: 'hello' }]);
  assert.equal(thread.refused('mine'), true);
  assert.equal(thread.refused('other'), false);
  assert.deepEqual([thread.unsent(), thread.pending.length], [[], 1]);
});

test('lines that are gone are counted in their place', () => {
  const thread = createThread();
  thread.take(line(1, 'a'));
  thread.missing(1, 4);
  thread.missing(2, 3);
  thread.take(line(5, 'e'));
  assert.deepEqual(thread.lines.map((each) => each.missing || each.text), ['a', 3, 'e']);
});

test('a talk is over in these states', () => {
  assert.deepEqual(['waiting', 'ringing', 'active', 'away', 'wrap-up', 'closed', 'form', 'parked'].map(isOver), [false, false, false, false, true, true, true, false]);
});
