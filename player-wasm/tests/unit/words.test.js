import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../js/backoff.js';
import { NARROWEST, SECOND, WIDEST, at, ticks, utcOf, xOf, zoom } from '../../js/scale.js';
import { Skew } from '../../js/skew.js';
import { day, micros, span, timeOfDay, zone } from '../../js/time.js';

const UTC = Date.UTC(2026, 10, 22, 14, 3, 27, 120) * 1000;

test('moments and spans in words', () => {
  assert.equal(timeOfDay(UTC, 'utc'), '14:03:27.120');
  assert.equal(timeOfDay(UTC + 879_999, 'utc'), '14:03:27.999');
  assert.equal(timeOfDay(UTC, 'utc', 0), '14:03:27');
  assert.equal(day(UTC, 'utc'), '22 Nov 2026');
  assert.equal(zone(UTC, 'utc'), 'UTC');
  assert.deepEqual([2, 123, 2440, 42_000, 185_000, 7_800_000, 1_202_400_000].map(span), ['2 ms', '120 ms', '2.4 s', '42 s', '3 min 05 s', '2 h 10 min', '13 d 22 h']);
});

test('a moment in seconds is the same moment in microseconds again', () => {
  // Off by one it would be the picture before.
  for (let utc = UTC; utc < UTC + 100_000; utc += 37) assert.equal(micros(utc / 1e6), utc);
});

test('waits double, with a share of chance, up to their most', () => {
  const backoff = new Backoff({ first: 250, most: 2000, random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map(() => backoff.next()), [250, 500, 1000, 2000, 2000, 2000]);
  backoff.reset();
  backoff.random = () => 0;
  assert.equal(backoff.next(), 187.5);
});

test('the axis is written at round times, as many as fit', () => {
  const view = { from: UTC, to: UTC + 600 * SECOND };
  const { step, list } = ticks(view, 1200);
  assert.equal(step, 60 * SECOND);
  assert.equal(list.length, 10);
  assert.ok(list.every((utc) => utc % step === 0));
  for (const width of [1, 300, 2000])
    for (const length of [NARROWEST, 3600 * SECOND, WIDEST]) {
      const found = ticks({ from: UTC, to: UTC + length }, width).list.length;
      assert.ok(found <= width / 96 + 2, `${found} in ${width}`);
    }
});

test('zooming leaves the moment under the pointer where it is, within bounds', () => {
  let view = { from: UTC, to: UTC + 600 * SECOND };
  const around = utcOf(view, 300, 1000);
  for (const factor of [0.5, 0.01, 0.0001, 3, 1e6, 1e6]) {
    view = zoom(view, around, factor);
    assert.ok(Math.abs(xOf(view, around, 1000) - 300) < 0.01);
    assert.ok(view.to - view.from >= NARROWEST - 1 && view.to - view.from <= WIDEST + 1);
  }
});

test('what lies at a moment', () => {
  const spans = [{ from: 0, to: 10 }, { from: 20, to: 30 }];
  assert.equal(at(spans, 10), undefined);
  assert.equal(at(spans, 20), spans[1]);
});

test('a clock is called wrong only where no network could explain it', () => {
  const seen = (transit, source = 'sender-report') => {
    const skew = new Skew();
    for (let n = 0; n < 50; n += 1) skew.observe(transit + (n % 7) * 30, 5, source);
    return skew.value;
  };
  assert.equal(seen(80), null);
  assert.equal(seen(4000), null);
  assert.ok(seen(-3000) < -500);
  assert.ok(seen(3_600_000) > 10_000);
  assert.equal(seen(-3000, 'arrival'), null);
});
