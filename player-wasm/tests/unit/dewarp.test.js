import assert from 'node:assert/strict';
import { test } from 'node:test';
import { USUAL, project, ray, within } from '../../js/dewarp-map.js';

const SQUARE = 1;
/** Where the middle of a view lies in the picture. */
const at = (mount, pan, tilt, how = {}, aspect = SQUARE) => project(ray({ pan, tilt, angle: 60 }, 0, 0, 1), { ...USUAL, mount, ...how }, aspect);
const close = (found, x, y, what) => assert.ok(found && Math.abs(found.x - x) < 1e-9 && Math.abs(found.y - y) < 1e-9, `${what}: ${JSON.stringify(found)}, not ${x}, ${y}`);

test('on a ceiling: straight down is the middle, the horizon the edge, ahead is up', () => {
  for (const pan of [0, 90, -45]) close(at('ceiling', pan, -90), 0.5, 0.5, 'down');
  close(at('ceiling', 0, 0), 0.5, 0, 'ahead');
  close(at('ceiling', 90, 0), 1, 0.5, 'right');
  close(at('ceiling', -90, 0), 0, 0.5, 'left');
  close(at('ceiling', 180, 0), 0.5, 1, 'behind');
  close(at('ceiling', 90, -45), 0.75, 0.5, 'half way down');
  assert.equal(at('ceiling', 0, 10), null, 'above the horizon it sees nothing');
});

test('on a wall: ahead is the middle', () => {
  close(at('wall', 0, 0), 0.5, 0.5, 'ahead');
  close(at('wall', 90, 0), 1, 0.5, 'right');
  close(at('wall', 45, 0), 0.75, 0.5, 'half right');
  close(at('wall', 0, 45), 0.5, 0.25, 'half up');
  close(at('wall', 0, -90), 0.5, 1, 'down');
  assert.equal(at('wall', 120, 0), null);
});

test('on a floor: straight up is the middle, and ahead lies below it', () => {
  close(at('floor', 30, 90), 0.5, 0.5, 'up');
  close(at('floor', 0, 0), 0.5, 1, 'ahead');
  close(at('floor', 90, 0), 1, 0.5, 'right');
  assert.equal(at('floor', 0, -10), null);
});

test('lenses differ between the middle and the edge alone', () => {
  for (const lens of ['equidistant', 'equisolid', 'stereographic']) {
    close(at('wall', 0, 0, { lens }), 0.5, 0.5, lens);
    close(at('wall', 90, 0, { lens }), 1, 0.5, lens);
  }
  close(at('wall', 45, 0, { lens: 'equisolid' }), 0.5 + (0.5 * Math.sin(Math.PI / 8)) / Math.sin(Math.PI / 4), 0.5, 'equisolid');
  close(at('wall', 45, 0, { lens: 'stereographic' }), 0.5 + 0.5 * Math.tan(Math.PI / 8), 0.5, 'stereographic');
});

test('a circle anywhere in a picture of any shape, of a lens that sees more than half of all', () => {
  close(at('wall', 45, 0, { x: 0.4, y: 0.6, radius: 0.3 }, 16 / 9), 0.4 + (0.15 * 9) / 16, 0.6, 'wide');
  close(at('ceiling', 0, 0, { angle: 200 }), 0.5, 0.5 - 0.5 * 0.9, '200°');
  assert.ok(at('ceiling', 0, 9, { angle: 200 }));
});

test('the corners of a view lie where its angle says', () => {
  const view = { pan: 0, tilt: 0, angle: 90 };
  close(project(ray(view, 0, 1, 2), { ...USUAL, mount: 'wall' }, 1), 0.5, 0.25, 'upper edge: 45°');
  const [x, y, z] = ray(view, 1, 0, 2);
  assert.ok(Math.abs(x / z - 2) < 1e-9 && y === 0);
});

test('no view looks where the lens does not', () => {
  for (const mount of ['ceiling', 'wall', 'floor']) {
    const fisheye = { ...USUAL, mount };
    for (let pan = -400; pan <= 400; pan += 35) {
      for (let tilt = -130; tilt <= 130; tilt += 13) {
        const view = within({ pan, tilt, angle: 500 }, fisheye);
        assert.ok(view.angle === 120 && view.pan >= -180 && view.pan <= 180);
        assert.ok(project(ray(view, 0, 0, 1), { ...fisheye, angle: 180.001 }, 1), `${mount} ${pan} ${tilt}: ${JSON.stringify(view)}`);
      }
    }
  }
  assert.equal(within({ pan: 190, tilt: -30, angle: 40 }, USUAL).pan, -170, 'it goes round and round');
});
