import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chaser } from '../../js/chaser.js';

/**
 * A player and a camera on a fake clock: 25 pictures a second arrive with a jitter, the playhead moves at the rate told
 * unless it is dry. Gives what happened.
 */
function run(chaser, seconds, { late = () => 0, behind = 0, shownAfter = 0.1 } = {}) {
  const began = run.now;
  let [time, newest, next] = [0, behind, 0];
  const delays = [];
  let rates = 0;
  for (let now = began; now < began + seconds * 1000; now += 10) {
    const at = (now - began) / 1000;
    while (next + late(next) <= at) {
      newest = behind + next + 0.04;
      next += 0.04;
      chaser.arrival(now);
    }
    const dry = newest - time < 0.01;
    if (dry) chaser.underrun(now);
    else time = Math.min(newest, time + 0.01 * chaser.rate);
    if ((now - began) % 200 === 0) {
      const { rate, seek } = chaser.step({ now, time, end: newest, newest, shown: at >= shownAfter });
      if (seek !== null) time = seek;
      if (rate !== 1) rates += 1;
    }
    delays.push(behind + at - time);
  }
  run.now += seconds * 1000;
  return { delays, delay: delays.at(-1), rates };
}
run.now = 1000;

test('nothing before the first picture is shown', () => {
  const chaser = new Chaser();
  const { rates } = run(chaser, 5, { behind: 2, shownAfter: 99 });
  assert.equal(rates, 0);
  assert.equal(chaser.jumps, 0);
});

test('a GOP that came at once is jumped over, once', () => {
  const chaser = new Chaser();
  const { delay } = run(chaser, 5, { behind: 2 });
  assert.equal(chaser.jumps, 1);
  assert.ok(delay < 0.5, `${delay}`);
});

test('half a second too much is caught up by rate alone', () => {
  const chaser = new Chaser();
  const { delay } = run(chaser, 12, { behind: 0.7 });
  assert.equal(chaser.jumps, 0);
  assert.ok(delay < 0.45, `${delay}`);
});

test('jitter raises the distance until it no longer runs dry', () => {
  const chaser = new Chaser('low');
  const late = (at) => (Math.floor(at * 2) % 3 === 0 ? 0.3 : 0);
  run(chaser, 30, { late });
  const before = chaser.underruns;
  const { delay } = run(chaser, 30, { late });
  assert.ok(chaser.underruns - before <= 3, `${chaser.underruns - before}`);
  assert.ok(delay < 1.5, `${delay}`);
});

test('an outage is not jitter', () => {
  const chaser = new Chaser();
  run(chaser, 5);
  const before = chaser.target;
  chaser.arrival((run.now += 30_000));
  assert.equal(chaser.target, before);
});

test('a hole in front of the playhead is stepped over', () => {
  const chaser = new Chaser();
  const { seek } = chaser.step({ now: 10_000, time: 5, end: 5, newest: 6, shown: true });
  assert.ok(seek !== null && seek > 5 && seek < 6);
});

test('two jumps are three seconds apart, and none follows one that led nowhere', () => {
  const chaser = new Chaser();
  const look = (now, time) => chaser.step({ now, time, end: 20, newest: 20, shown: true }).seek;
  const first = look(10_000, 5);
  assert.ok(first !== null);
  assert.equal(look(11_000, 6), null);
  assert.equal(look(14_000, first), null);
  assert.notEqual(look(14_200, first - 3), null);
});
