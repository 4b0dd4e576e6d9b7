import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEAD, Gate, STILL, axis, stick } from '../../js/ptz-stick.js';

test('a stick at rest, or nearly, moves nothing', () => {
  for (let angle = 0; angle < 360; angle += 7) {
    const [x, y] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
    assert.deepEqual(stick(x * DEAD, y * DEAD), { pan: 0, tilt: 0 });
    assert.deepEqual(stick(x * 0.1, y * 0.1), { pan: 0, tilt: 0 });
  }
  assert.deepEqual(stick(NaN, 0), { pan: 0, tilt: 0 });
});

test('the way is rising, slow at first, and full at its end', () => {
  let before = 0;
  for (let x = 0; x <= 1.0001; x += 0.01) {
    const { pan } = stick(x, 0);
    assert.ok(pan >= before && pan <= 1);
    before = pan;
  }
  assert.equal(before, 1);
  const half = stick((1 + DEAD) / 2, 0).pan;
  assert.ok(Math.abs(half - 0.25) < 0.02, `${half}: a quarter of the speed at half of the way`);
  assert.deepEqual(stick(0, -1), { pan: 0, tilt: 1 }, 'up is up');
  assert.equal(axis(-1), -1);
});

test('a slant stays the slant it is, and is no faster than straight', () => {
  const { pan, tilt } = stick(1, 1);
  assert.equal(pan, -tilt);
  assert.ok(Math.abs(Math.hypot(pan, tilt) - 1) < 0.03);
  const { pan: a, tilt: b } = stick(0.8, -0.4);
  assert.ok(Math.abs(a / b - 2) < 0.1);
});

function gate() {
  const sent = [];
  const made = new Gate((velocity) => sent.push(velocity), { every: 100, again: 400 });
  return { made, sent };
}
const right = (pan) => ({ ...STILL, pan });

test('at most so many a second, the newest alone', () => {
  const { made, sent } = gate();
  for (let now = 0; now < 1000; now += 5) made.take(right(now / 1000 + 0.001), now);
  assert.equal(sent.length, 10);
  assert.ok(sent.every(({ pan }, i) => i === 0 || pan > sent[i - 1].pan));
});

test('a stop goes through at once, and once', () => {
  const { made, sent } = gate();
  made.take(right(1), 0);
  made.take(STILL, 1);
  made.take(STILL, 2);
  made.take(STILL, 500);
  assert.deepEqual(sent, [right(1), STILL]);
  made.take(right(0.5), 3);
  assert.equal(sent.length, 2, 'but what follows it waits its time');
  made.take(right(0.5), 101);
  assert.equal(sent.length, 3);
});

test('what goes on is told again', () => {
  const { made, sent } = gate();
  for (let now = 0; now <= 2000; now += 50) made.take(right(1), now);
  assert.equal(sent.length, 6);
});
