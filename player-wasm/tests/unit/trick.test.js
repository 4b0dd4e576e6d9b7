import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Trick, lastBefore, modeOf } from '../../js/trick.js';

const small = { codec: 'H.264', string: 'avc1.64001E', width: 640, height: 360 };
const large = { ...small, width: 3840, height: 2160 };

test('a speed is played whole as long as browsers keep up, and no further', () => {
  assert.deepEqual([0.125, 1, 4, 16, 32].map((speed) => modeOf(speed, small, 40)), ['whole', 'whole', 'whole', 'whole', 'keys']);
  assert.deepEqual([0.125, 1, 2, 4].map((speed) => modeOf(speed, { ...small, width: 1920, height: 1080 }, 40)), ['whole', 'whole', 'whole', 'whole']);
  assert.equal(modeOf(8, { ...small, width: 1920, height: 1080 }, 40), 'keys');
  // What is too much at its usual speed is not left out by us: it is what the camera sends.
  assert.deepEqual([0.5, 1, 2].map((speed) => modeOf(speed, large, 1000 / 60)), ['whole', 'whole', 'keys']);
  assert.equal(modeOf(16, null, 40), 'whole');
});

test('backwards, whole pictures up to twice as fast', () => {
  assert.deepEqual([-0.125, -1, -2, -4, -32].map((speed) => modeOf(speed, small, 40)), ['back', 'back', 'back', 'keys', 'keys']);
});

test('backwards, the picture of a moment is the last that was taken by then', () => {
  const order = [90, 80, 70, 30, 20].map((utc) => ({ utc, time: 0, source: 'index', error: 0 }));
  assert.equal(lastBefore(order, 85)?.utc, 80);
  assert.equal(lastBefore(order, 70)?.utc, 70);
  assert.equal(lastBefore(order, 69)?.utc, 30, 'over a gap');
  assert.equal(lastBefore(order, 5)?.utc, 20, 'as far as there are any');
  assert.equal(lastBefore([], 5), undefined);
});

test('a player that was closed while this was loading is left alone', () => {
  const never = () => assert.fail('it is closed');
  const screen = { line: null, live: false, interval: 40, speed: -1, rate: 1, picture: null, soughtUtc: 1e6, format: small, go: never, watcher: { tell: never, tick: never }, video: {} };
  const trick = new Trick(screen);
  trick.speed();
  assert.deepEqual([trick.mode, trick.turn], ['whole', 0]);
});
