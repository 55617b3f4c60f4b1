// When a page connects, and when it lets go of its socket: with a clock and a document of the test's own.

import assert from 'node:assert/strict';
import test from 'node:test';
import { followRest } from '../beacon/behaviour/rest.js';
import { whenCalm } from '../beacon/guard.js';

/** A window and document that hold handlers by event. */
function stage(t, { readyState = 'loading', visibilityState = 'visible' } = {}) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const handlers = {};
  const target = { addEventListener: (name, work) => { (handlers[name] = handlers[name] || []).push(work); } };
  globalThis.window = { ...target, requestIdleCallback: (work) => { handlers.idle = [work]; } };
  globalThis.document = { ...target, readyState, visibilityState };
  t.after(() => {
    delete globalThis.window;
    delete globalThis.document;
  });
  return (name) => (handlers[name] || []).forEach((work) => work({}));
}

for (const [how, steps] of Object.entries({
  'load and idleness': ['load', 'idle'],
  'the first pointer': ['pointerdown'],
  'the first key': ['keydown'],
})) {
  test(`a page connects at ${how}, once`, (t) => {
    const happen = stage(t);
    let count = 0;
    whenCalm(() => count++);
    steps.slice(0, -1).forEach(happen);
    assert.equal(count, 0);
    happen(steps.at(-1));
    happen('keydown');
    t.mock.timers.tick(10000);
    assert.equal(count, 1);
  });
}

test('a page that never comes to rest connects after 5 s', (t) => {
  stage(t);
  let count = 0;
  whenCalm(() => count++);
  t.mock.timers.tick(4999);
  assert.equal(count, 0);
  t.mock.timers.tick(1);
  assert.equal(count, 1);
});

test('a hidden tab lets go after a minute unless somebody talks there, and connects when it is looked at', (t) => {
  const happen = stage(t);
  const told = [];
  let hear;
  followRest({
    connect: () => told.push('connect'),
    rest: () => told.push('rest'),
    listen: (target, name, work) => target.addEventListener(name, work),
    on: (name, work) => { hear = work; },
  });
  const turn = (state) => {
    document.visibilityState = state;
    happen('visibilitychange');
  };
  turn('hidden');
  t.mock.timers.tick(59999);
  turn('visible');
  t.mock.timers.tick(60000);
  assert.deepEqual(told, [], 'a short look away is none');
  turn('hidden');
  t.mock.timers.tick(60000);
  turn('visible');
  assert.deepEqual(told, ['rest', 'connect']);
  hear({ state: 'active' });
  turn('hidden');
  t.mock.timers.tick(600000);
  turn('visible');
  assert.equal(told.length, 2, 'a talk keeps its socket');
  hear({ state: 'closed' });
  turn('hidden');
  t.mock.timers.tick(60000);
  assert.deepEqual(told, ['rest', 'connect', 'rest']);
});
