import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYOUTS, pageOf, wantsMain } from '../../js/layout.js';

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
