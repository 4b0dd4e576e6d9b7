import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { keep, recall } from '../../js/keep.js';

const nothing = { layout: null, order: null };
const storage = (over = {}) => {
  const held = new Map();
  globalThis.localStorage = { getItem: (key) => held.get(key) ?? null, setItem: (key, text) => held.set(key, text), held, ...over };
  return held;
};
afterEach(() => delete globalThis.localStorage);

test('what was kept comes back, by its name', () => {
  storage();
  assert.deepEqual(recall('desk'), nothing);
  assert.equal(keep('desk', { layout: '9', order: ['a/b', 'a/c'] }), true);
  assert.deepEqual(recall('desk'), { layout: '9', order: ['a/b', 'a/c'] });
  assert.deepEqual(recall('other'), nothing);
});

test('a browser without room or without storage is survived', () => {
  const full = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
  storage({ setItem: full });
  assert.equal(keep('desk', nothing), false);
  storage({ getItem: full });
  assert.deepEqual(recall('desk'), nothing);
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: full });
  assert.equal(keep('desk', nothing), false);
  assert.deepEqual(recall('desk'), nothing);
});

test('what was spoilt, or written by somebody else, counts for nothing', () => {
  const held = storage();
  for (const text of ['{', 'null', '[]', '7', '{"layout":7,"order":"x"}', '{"order":[1]}', `{"order":["${'x'.repeat(100_000)}"]}`]) {
    held.set('vigie-wall:desk', text);
    assert.deepEqual(recall('desk'), nothing, text.slice(0, 40));
  }
});
