import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Feed } from '../../js/feed.js';
import { Pictures } from '../../js/pictures.js';

function feed() {
  const said = [];
  const made = new Feed(1, (message) => said.push(message), true);
  made.init({ codec: 'H.264', string: 'avc1.64001E', width: 640, height: 360 }, new ArrayBuffer(8));
  return { made, said, take: (type) => said.filter((message) => message.type === type) };
}

const fragment = (start, { end = start + 0.04, epoch = 0, utc = start * 1e6, randomAccess = false, pictures } = {}) => ({
  bytes: new ArrayBuffer(100),
  text: {
    ...{ start: start * 90_000, end: end * 90_000, epoch, randomAccess, damaged: false, userData: [] },
    pictures: (pictures ?? [[start, utc, 1, 500]]).map(([pts, ...rest]) => [pts * 90_000, ...rest]),
  },
});

test('pictures follow each other on a clock that starts well above zero', () => {
  const { made, take } = feed();
  for (let n = 0; n < 5; n += 1) made.fragment(fragment(500 + n * 0.04), 0);
  const fragments = take('fragment');
  assert.equal(fragments[0].start, 10);
  assert.ok(Math.abs(fragments[4].start - 10.16) < 1e-9);
  assert.equal(new Set(fragments.map(({ offset }) => offset)).size, 1);
  assert.equal(take('start').length, 1);
  assert.equal(take('start')[0].time, 10);
});

test('a hole is closed, for browsers wait for a key picture behind one; the UTC stays true', () => {
  const { made, take } = feed();
  made.fragment(fragment(5), 0);
  made.fragment(fragment(5.04), 0);
  made.fragment(fragment(8), 0);
  const [, second, third] = take('fragment');
  assert.ok(Math.abs(third.start - second.end) < 1e-9);
  assert.equal(third.pictures[0].utc, 8e6);
});

test('jitter of a few milliseconds is left as it is', () => {
  const { made, take } = feed();
  made.fragment(fragment(5), 0);
  made.fragment(fragment(5.043), 0);
  made.fragment(fragment(5.079), 0);
  assert.equal(new Set(take('fragment').map(({ offset }) => offset)).size, 1);
});

test('times that start anew go on behind the last', () => {
  const { made, take } = feed();
  made.fragment(fragment(5), 0);
  made.fragment(fragment(0.5, { epoch: 1 }), 0);
  const [first, second] = take('fragment');
  assert.ok(second.start >= first.end - 1e-9 && second.start < first.end + 0.1);
});

test('a seek starts at the picture asked for, at a place of its own', () => {
  const { made, take } = feed();
  made.fragment(fragment(5), 0);
  made.restart(30.05e6);
  const pictures = [0, 1, 2, 3].map((n) => [30 + n * 0.04, (30 + n * 0.04) * 1e6, 1, 500]);
  made.fragment(fragment(30, { end: 30.16, pictures }), 0);
  const [, start] = take('start');
  const [first, second] = take('fragment');
  assert.ok(second.start >= first.end + 1 - 1e-9);
  assert.equal(second.pictures.findLast(({ time }) => time <= start.time).utc, 30.04e6);
  // Some way into it, and not into the next.
  assert.ok(Math.abs(start.time - second.start - 0.05) < 1e-9);
});

test('a new media buffer gets the init segment again', () => {
  const { made, take } = feed();
  made.fragment(fragment(5), 0);
  made.rebuild(true);
  made.fragment(fragment(6), 0);
  assert.deepEqual(take('attach').map(({ generation }) => generation), [1, 2]);
  assert.equal(take('init').length, 2);
  assert.equal(take('init')[1].bytes.byteLength, 8);
  assert.equal(take('fragment')[1].start, 10);
});

test('the table gives the picture that shows, and its neighbours', () => {
  const table = new Pictures(50);
  const picture = (time) => ({ time, utc: time * 1e6, source: 'arrival', error: 0 });
  table.add([picture(10.08), picture(10), picture(10.04)]);
  assert.equal(table.at(10.0399)?.time, 10.04);
  assert.equal(table.at(10.03)?.time, 10);
  assert.equal(table.at(9.9), null);
  assert.equal(table.step(10.04, 1)?.time, 10.08);
  assert.equal(table.step(10.04, -1)?.time, 10);
  assert.equal(table.step(10.08, 1), null);
  table.forget(10.05);
  assert.equal(table.list.length, 2);
  for (let n = 0; n < 200; n += 1) table.add([picture(11 + n)]);
  assert.equal(table.list.length, 50);
});
