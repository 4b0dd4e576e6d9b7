import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST, bounded, moved, zoomed } from '../../js/view.js';

const ALL = { scale: 1, x: 0.5, y: 0.5 };
/** What of the tile lies under a place of it. */
const under = ({ scale, x, y }, px, py) => [x + (px - 0.5) / scale, y + (py - 0.5) / scale];

test('nothing beside the picture ever shows', () => {
  for (const scale of [-1, 0, 0.5, 1, 2, 7.3, MOST, 100, NaN, Infinity])
    for (const x of [-5, 0, 0.2, 0.5, 1, 9, NaN])
      for (const y of [-5, 0.5, 9]) {
        const view = bounded({ scale, x, y });
        assert.ok(view.scale >= 1 && view.scale <= MOST);
        for (const corner of [0, 1]) {
          const [a, b] = under(view, corner, corner);
          assert.ok(a >= -1e-9 && a <= 1 + 1e-9 && b >= -1e-9 && b <= 1 + 1e-9, JSON.stringify({ scale, x, y, view }));
        }
      }
  assert.deepEqual(bounded(ALL), ALL);
});

test('what is under the pointer stays there', () => {
  let view = ALL;
  const [px, py] = [0.3, 0.8];
  const there = under(view, px, py);
  for (const factor of [1.5, 2, 0.7, 3, 0.9]) {
    view = zoomed(view, factor, px, py);
    const now = under(view, px, py);
    assert.ok(Math.abs(now[0] - there[0]) < 1e-9 && Math.abs(now[1] - there[1]) < 1e-9);
  }
  assert.deepEqual(zoomed(view, 1e-6, px, py), ALL);
});

test('the picture follows the pointer', () => {
  const view = { scale: 4, x: 0.5, y: 0.5 };
  const [before] = under(view, 0.4, 0.5);
  const [after] = under(moved(view, 0.1, 0), 0.5, 0.5);
  assert.ok(Math.abs(before - after) < 1e-9);
  assert.deepEqual(moved(ALL, 0.3, 0.3), ALL);
});
