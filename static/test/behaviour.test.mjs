import assert from 'node:assert/strict';
import test from 'node:test';
import { fieldKind } from '../beacon/behaviour/fields.js';
import { createExits } from '../beacon/behaviour/exits.js';

test('a field is named by what it tells browsers, never by what the shop calls it', () => {
  const field = (autocomplete, type = 'text') => fieldKind({ autocomplete, type, name: 'secret', id: 'secret' });
  assert.equal(field('shipping postal-code'), 'postal-code');
  assert.equal(field('section-a billing cc-number'), 'cc-number');
  assert.equal(field('', 'tel'), 'tel');
  assert.equal(field('off', 'email'), 'email');
  assert.equal(field('on'), 'text');
});

test('a sign of leaving comes at most once in five seconds, each kind by itself', () => {
  const told = [];
  let at = 1000;
  const exit = createExits({ add: (event) => told.push(event), now: () => at });
  for (const [when, kind] of [[1000, 'tab'], [1001, 'pointer'], [5999, 'tab'], [6000, 'tab'], [6000, 'pointer']]) {
    at = when;
    exit(kind);
  }
  assert.deepEqual(told, [[16, 'tab'], [16, 'pointer'], [16, 'tab']]);
});
