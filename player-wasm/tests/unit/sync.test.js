import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

globalThis.window = globalThis;
const { VigieSync } = await import('../../js/sync.js');

/** A player whose recording runs on the test's own clock, faster or slower than it should by `skew`. */
class Player extends EventTarget {
  constructor(clock, skew = 0) {
    super();
    Object.assign(this, { clock, skew, isLive: false, seeking: false, paused: true, sought: [] });
    this.video = { playbackRate: 1, currentTime: 10 };
    this.picture = { utc: 0, time: 10 };
    this.rate = 1;
  }

  set playbackRate(rate) {
    this.rate = this.video.playbackRate = rate;
  }

  get playbackRate() {
    return this.rate;
  }

  seek(utc) {
    this.sought.push(utc);
    this.picture = { utc, time: 10 };
    this.video.currentTime = 10;
    queueMicrotask(() => this.dispatchEvent(new Event('seeked')));
  }

  async play() {
    this.paused = false;
  }

  pause() {
    this.paused = true;
  }

  run(ms) {
    if (!this.paused) this.video.currentTime += (ms / 1000) * this.video.playbackRate * (1 + this.skew);
  }

  get utc() {
    return this.picture.utc + (this.video.currentTime - this.picture.time) * 1e6;
  }
}

/** Milliseconds between the furthest and the last. */
const apart = (players) => (Math.max(...players.map(({ utc }) => utc)) - Math.min(...players.map(({ utc }) => utc))) / 1000;

async function started(skews) {
  mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  mock.method(performance, 'now', () => now);
  const players = skews.map((skew) => new Player(null, skew));
  const sync = new VigieSync(players);
  assert.equal(await sync.seek(1e12), true);
  const pass = (ms) => {
    for (let left = ms; left > 0; left -= 20) {
      now += 20;
      for (const player of players) player.run(20);
      mock.timers.tick(20);
    }
  };
  return { players, sync, pass, end: () => (sync.release(), mock.timers.reset(), mock.restoreAll()) };
}

test('players that run a little too fast and too slow are held together', async () => {
  const { players, sync, pass, end } = await started([0.01, -0.01, 0]);
  sync.play();
  pass(60_000);
  assert.ok(apart(players) < 50, `${apart(players)} ms`);
  assert.ok(sync.spread < 50);
  assert.ok(Math.abs(players[2].utc - 1e12 - 60e6) < 50_000);
  end();
});

test('one that starts late catches up by speed alone', async () => {
  const { players, sync, pass, end } = await started([0, 0]);
  players[1].picture = { utc: 1e12 - 300_000, time: 10 };
  sync.play();
  pass(8000);
  assert.ok(apart(players) < 20, `${apart(players)} ms`);
  assert.deepEqual(players[1].sought, [1e12]);
  end();
});

test('one behind a gap waits at its next picture until that moment comes', async () => {
  const { players, sync, pass, end } = await started([0, 0]);
  players[1].picture = { utc: 1e12 + 5e6, time: 10 };
  sync.play();
  pass(1000);
  assert.equal(players[1].paused, true);
  assert.equal(sync.spread, null, 'one alone');
  pass(5000);
  assert.equal(players[1].paused, false);
  assert.ok(apart(players) < 150, `${apart(players)} ms`);
  end();
});

test('sent again before all have come, they go on from the last place', async () => {
  const { players, sync, pass, end } = await started([0, 0]);
  sync.play();
  const first = sync.seek(2e12);
  const second = sync.seek(3e12);
  assert.deepEqual([await first, await second], [false, true]);
  assert.equal(sync.paused, false);
  pass(1000);
  assert.ok(players.every(({ utc }) => Math.abs(utc - 3e12 - 1e6) < 50_000));
  const last = sync.seek(4e12);
  sync.pause();
  await last;
  assert.equal(sync.paused, true, 'unless somebody wants it to stand');
  end();
});

test('one that is far behind is sent, and left alone for a while', async () => {
  const { players, sync, pass, end } = await started([0, 0]);
  players[1].picture = { utc: 1e12 - 5e6, time: 10 };
  sync.play();
  pass(200);
  assert.equal(players[1].sought.length, 2);
  assert.ok(apart(players) < 150);
  assert.throws(() => (sync.playbackRate = 4), RangeError);
  end();
});
