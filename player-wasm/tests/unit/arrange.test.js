import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drag } from '../../js/arrange.js';

test('a finger that went up while the script was loading leaves nothing taken', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const before = globalThis.window;
  const window = (globalThis.window = /** @type {any} */ (new EventTarget()));
  context.after(() => (globalThis.window = before));
  const element = () => {
    const classes = new Set();
    return { classes, classList: { add: (name) => classes.add(name), remove: (name) => classes.delete(name) } };
  };
  const tile = element();
  const grid = {
    ...element(),
    getRootNode: () => null,
    setPointerCapture() {
      throw new DOMException('no such pointer', 'NotFoundError');
    },
  };
  drag({ grid, tiles: new Map([['a/b', { tile }]]), swap: () => assert.fail('swapped') }, tile, { pointerType: 'touch', pointerId: 7, clientX: 0, clientY: 0 });
  context.mock.timers.tick(1000);
  assert.deepEqual([...tile.classes, ...grid.classes], []);
  const menu = new Event('contextmenu', { cancelable: true });
  window.dispatchEvent(menu);
  assert.equal(menu.defaultPrevented, false, 'it listens no more');
});
