import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYOUTS, beside, layoutOf, merged, ordered, pageOf, wantsMain } from '../../js/layout.js';

test('every camera is on one page of every layout', () => {
  for (const layout of [null, ...Object.values(LAYOUTS)]) {
    const pages = Array.from({ length: 60 }, (_, i) => pageOf(i, layout));
    assert.ok(pages.every((page, i) => page === pages[i - 1] || page === (pages[i - 1] ?? -1) + 1));
    if (layout) assert.ok([...new Set(pages)].every((page) => pages.filter((other) => other === page).length <= layout.tiles));
  }
  assert.equal(pageOf(-1, null), null);
});

test('a size at the border does not change the stream to and fro', () => {
  for (let width = 1; width < 3000; width += 1) {
    // Whatever is shown, one change at most settles it.
    for (const main of [true, false]) {
      const once = wantsMain(width, main);
      assert.equal(wantsMain(width, once), once, `${width}`);
    }
  }
  assert.equal(wantsMain(1280, false), true);
  assert.equal(wantsMain(320, true), false);
  assert.notEqual(wantsMain(720, true), wantsMain(720, false));
});

test('a layout is drawn by letters, and only rectangles are tiles', () => {
  assert.deepEqual(layoutOf('aab aac def'), LAYOUTS['1+5']);
  assert.deepEqual(layoutOf(' ab  ab '), { tiles: 2, columns: 2, rows: 2, areas: ['ab', 'ab'] });
  assert.equal(layoutOf('9'), LAYOUTS['9']);
  for (const none of ['', ' ', '2', '1+6', 'aab aba', 'ab a', 'aba', 'abcdefghi', 'a b c d e f g h i', 'a1', 'constructor.x', '__proto__ x', 'toString1']) {
    assert.equal(layoutOf(none), null, none);
  }
});

test('up and down lead to the tile that lies there, and back to every page', () => {
  const layout = layoutOf('aab aac def');
  assert.equal(beside(0, 1, layout, 0), 3);
  assert.equal(beside(3, -1, layout, 0), 0);
  assert.equal(beside(4, -1, layout, 0), 0);
  assert.equal(beside(5, -1, layout, 0), 2);
  assert.equal(beside(2, -1, layout, 0), 1);
  // The next page's tile in the same place.
  assert.equal(beside(4, 1, layout, 0), 10);
  assert.equal(beside(6 + 1, -1, layout, 0), 1);
  assert.equal(beside(4, 1, LAYOUTS['9'], 3), 7);
  assert.equal(beside(1, 1, null, 2), 3);
});

test('an order kept from before: new cameras stand behind, gone ones are passed over', () => {
  const names = (list) => list.map(({ id }) => id).join('');
  const cameras = [...'abcde'].map((id) => ({ id }));
  const keyOf = ({ id }) => id;
  assert.equal(names(ordered(cameras, ['d', 'x', 'b'], keyOf)), 'dbace');
  assert.equal(names(ordered(cameras, [], keyOf)), 'abcde');
  assert.equal(names(cameras), 'abcde');
});

test('an order of some leaves the others where they are', () => {
  const order = (before, keys) => merged([...before], [...keys]).join('');
  assert.equal(order('abcde', 'db'), 'adcbe');
  assert.equal(order('abcde', 'edcba'), 'edcba');
  assert.equal(order('ab', 'xy'), 'abxy');
  assert.equal(order('', 'xy'), 'xy');
  assert.equal(order('abc', 'cxa'), 'cbxa');
});
