import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../js/judge.js';
import { explain, unsupported } from '../../js/text.js';
import { CAUSES, STATES } from '../../js/words.js';

const fresh = {
  ...{ now: 100_000, open: true, live: true, paused: false, opened: 90_000, shown: 99_980, old: true, interval: 40 },
  ...{ delay: 200, skew: null, damaged: false, up: true, attempt: 0, cause: null, ended: false },
};
const state = (change) => judge({ ...fresh, ...change }).state;

test('a fresh picture is live', () => assert.equal(state({}), 'live'));

test('no picture that stands still is ever called live', () => {
  for (const up of [true, false])
    for (const delay of [null, 0, 5000])
      for (const old of [true, false])
        for (const shown of [98_700, 60_000, null])
          for (const damaged of [true, false]) {
            const got = state({ up, delay, old, shown, damaged, opened: 90_000 });
            assert.ok(!['live', 'late', 'damaged', 'out-of-clock'].includes(got), `${got}`);
          }
});

test('a slow camera has longer', () => {
  assert.equal(state({ interval: 1000, shown: 97_000 }), 'live');
  assert.equal(state({ interval: 1000, shown: 95_900 }), 'stale');
});

test('the words of a live tile', () => {
  assert.equal(state({ delay: 2500 }), 'late');
  assert.equal(state({ damaged: true }), 'damaged');
  assert.equal(state({ skew: 60_000, delay: 60_200 }), 'out-of-clock');
  assert.equal(state({ paused: true }), 'paused');
  assert.equal(state({ open: false }), 'idle');
});

test('before the first picture', () => {
  const none = { shown: null, old: false };
  assert.equal(state({ ...none, opened: 99_500 }), 'loading');
  assert.equal(state({ ...none, opened: 90_000 }), 'no-signal');
  assert.equal(state({ ...none, opened: 99_000, attempt: 3, cause: { kind: 'camera-gone' } }), 'no-signal');
  assert.equal(state({ shown: null, old: true, opened: 98_000 }), 'stale');
});

test('what time alone does not mend', () => {
  assert.equal(state({ cause: { kind: 'refused' } }), 'no-right');
  assert.equal(state({ cause: { kind: 'unsupported' } }), 'cannot-play');
  assert.equal(state({ cause: { kind: 'media-blocked' } }), 'cannot-play');
});

test('the recording', () => {
  const recorded = { live: false };
  assert.equal(state(recorded), 'recorded');
  assert.equal(state({ ...recorded, shown: null }), 'loading');
  assert.equal(state({ ...recorded, ended: true }), 'end');
  assert.equal(state({ ...recorded, shown: 90_000, cause: { kind: 'storage' } }), 'no-signal');
});

test('each state has a mark and a word, each cause says what to do', () => {
  const marks = Object.values(STATES).map(({ mark, word }) => `${mark} ${word}`);
  assert.equal(new Set(marks).size, marks.length);
  for (const kind of Object.keys(CAUSES)) {
    const { what, then } = explain({ kind });
    assert.ok(what.endsWith('.') && then.endsWith('.'), kind);
  }
  assert.match(unsupported('H.265', 'hvc1.1.6.L93.B0').what, /H\.265 \(hvc1\.1\.6\.L93\.B0\)/);
});
