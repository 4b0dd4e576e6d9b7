// The recording otherwise than on and on: picture by picture, faster than browsers decode, backwards. Loaded when first wanted.

/** @import {Format, FromWorker, Picture} from './protocol.js' */
/** @import {Screen} from './screen.js' */

/** Pixels a second that a browser is trusted to decode without help: 1920×1080 at 25/s, four times as fast. */
const PIXELS = 210e6;
/** The fastest that browsers set an element to. */
const FASTEST = 16;
/** Backwards, up to this speed whole pictures are shown: each wants all before it in its GOP decoded anew. */
const WHOLE_BACK = 2;
/** Kept ready when playing backwards, seconds at speed 1. */
const READY = 4;
/** A picture that was sent for is waited for so long, milliseconds. */
const PATIENCE = 5000;

/** `whole`: the element plays; `keys`: so it does, key pictures alone; `back`: it is sent from picture to picture. @typedef {'whole' | 'keys' | 'back'} Mode */

/**
 * How a speed is played.
 * @param {number} speed @param {Format | null} format @param {number} interval  Between whole pictures, milliseconds.
 * @returns {Mode}
 */
export function modeOf(speed, format, interval) {
  if (speed < 0) return -speed > WHOLE_BACK ? 'keys' : 'back';
  const pixels = format ? (format.width * format.height * 1000) / Math.max(1, interval) : 0;
  return speed > FASTEST || (speed > 1 && speed * pixels > PIXELS) ? 'keys' : 'whole';
}

/**
 * The picture that shows when one looks backwards from another: the last at or before a moment.
 * @param {Picture[]} order  Backwards from the one on the screen. @param {number} utc
 */
export const lastBefore = (order, utc) => order.find((picture) => picture.utc <= utc) ?? order.at(-1);

const sleep = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

export class Trick {
  /** @param {Screen} screen */
  constructor(screen) {
    this.screen = screen;
    /** @type {Mode} */
    this.mode = 'whole';
    /** Counts what was asked for: what an older order still waits for is void. */
    this.turn = 0;
    /** Between whole pictures, milliseconds. */
    this.interval = screen.interval;
    /** There is nothing before. */
    this.first = false;
    /** A GOP was sent for and is not there yet. */
    this.pending = false;
    /** Steps, one after the other. @type {Promise<unknown>} */
    this.steps = Promise.resolve();
  }

  /** @param {FromWorker} message */
  heard(message) {
    if (message.type === 'first') this.first = true;
    if (message.type === 'fragment') this.pending = false;
    if (this.mode !== 'keys') this.interval = this.screen.interval;
  }

  /** Something else is played from now on. */
  stop() {
    this.turn += 1;
    if (this.mode === 'whole') return;
    this.mode = 'whole';
    this.screen.speed = this.screen.rate = 1;
    this.screen.watcher.tell('ratechange');
  }

  /** Plays at the screen's speed. */
  speed() {
    const { screen, mode: before } = this;
    const { speed, video } = screen;
    const utc = screen.picture?.utc ?? screen.soughtUtc;
    // It may be closed by the time that this file is loaded.
    if (!screen.line || screen.live || utc === null) return;
    const mode = modeOf(speed, screen.format, this.interval);
    this.mode = mode;
    this.first = false;
    screen.rate = mode === 'whole' ? speed : 1;
    video.playbackRate = screen.rate;
    if (mode === 'keys') {
      this.turn += 1;
      screen.go({ type: 'film', utc, speed });
      void this.#untilFirst(this.turn);
    } else if (mode !== before) {
      this.turn += 1;
      if (mode === 'back') void this.#backwards(this.turn, before === 'keys' ? utc : null);
      else screen.go({ type: 'seek', utc });
    }
    screen.watcher.tell('ratechange');
    screen.watcher.tick();
  }

  /** So many pictures on or back. @param {number} n @returns {Promise<boolean>} */
  step(n) {
    const { turn } = this;
    const done = this.steps.then(async () => {
      for (let left = Math.abs(n); left > 0; left -= 1) {
        if (turn !== this.turn || !(await this.#one(n > 0, turn))) return false;
      }
      return true;
    });
    this.steps = done.catch(() => {});
    return done;
  }

  /** @param {boolean} on @param {number} turn */
  async #one(on, turn) {
    const { screen } = this;
    const before = screen.picture;
    if (!before) return false;
    if (this.mode !== 'whole') {
      // Those around it are not at hand, or not in order.
      const { speed } = screen;
      this.mode = 'whole';
      screen.speed = screen.rate = 1;
      if (speed !== 1) screen.watcher.tell('ratechange');
      if (!(await this.#go({ type: 'seek', utc: before.utc }, turn))) return false;
    }
    const next = on ? await this.#next(turn) : this.#neighbour(-1);
    if (next) return this.#show(next, turn);
    if (screen.live || turn !== this.turn || (on && screen.endAt !== null)) return false;
    const at = screen.picture ?? before;
    if (on) {
      // What follows it is not fed any more: from here on it is.
      if (!(await this.#go({ type: 'seek', utc: at.utc }, turn))) return false;
      const found = await this.#next(turn);
      return found ? this.#show(found, turn) : false;
    }
    if (await this.#go({ type: 'seek', utc: this.#oldest(), back: true }, turn)) return true;
    // Nothing is before it: it stays on the screen.
    if (turn === this.turn) await this.#go({ type: 'seek', utc: at.utc }, turn);
    return false;
  }

  /** The next one, as soon as it is buffered. @param {number} turn */
  async #next(turn) {
    await this.#until(() => this.#neighbour(1) !== null || this.screen.endAt !== null, turn, 1500);
    return this.#neighbour(1);
  }

  /** Next to the one on the screen, without a seam between. @param {1 | -1} way */
  #neighbour(way) {
    const { pictures, picture, video } = this.screen;
    if (!picture) return null;
    const to = pictures.step(picture.time, way);
    return to && joined(video.buffered, picture.time, to.time) ? to : null;
  }

  /** UTC of the first picture that is buffered without a seam to the one on the screen. */
  #oldest() {
    const { pictures, picture, video } = this.screen;
    const time = picture?.time ?? 0;
    const first = pictures.list.find((other) => joined(video.buffered, other.time, time));
    return first?.utc ?? picture?.utc ?? 0;
  }

  /** Elsewhere in the recording; true once its first picture shows. @param {Parameters<Screen['go']>[0]} order @param {number} turn */
  async #go(order, turn) {
    const { screen } = this;
    this.first = false;
    screen.go(order);
    await this.#until(() => this.first || (screen.shown !== null && !screen.awaiting), turn);
    return turn === this.turn && !this.first && screen.shown !== null;
  }

  /** @param {Picture} picture @param {number} turn */
  async #show(picture, turn) {
    const { screen } = this;
    const { video, pictures } = screen;
    const next = pictures.step(picture.time, 1);
    const room = next ? next.time - picture.time : screen.interval / 1000;
    screen.start = Math.min(screen.start, picture.time);
    // Into the picture: its very start may round to the one before.
    video.currentTime = picture.time + Math.min(room, screen.interval / 1000) / 4;
    await this.#until(() => screen.picture?.utc === picture.utc, turn, 2000);
    return screen.picture?.utc === picture.utc;
  }

  /** @param {() => boolean} test @param {number} turn */
  async #until(test, turn, most = PATIENCE) {
    const began = performance.now();
    while (turn === this.turn && !test() && performance.now() - began < most) await sleep(5);
  }

  /** Before the first key picture there is none: that one stays. @param {number} turn */
  async #untilFirst(turn) {
    const { screen } = this;
    while (turn === this.turn && !(this.first && screen.video.currentTime > screen.lastEnd - 0.4)) await sleep(100);
    if (turn === this.turn) this.#halt();
  }

  #halt() {
    this.screen.pause();
    this.screen.watcher.tell('pause');
  }

  /** @param {number} turn @param {number | null} utc  Where whole pictures have to come from first. */
  async #backwards(turn, utc) {
    const { screen } = this;
    if (utc !== null && !(await this.#go({ type: 'seek', utc }, turn))) return;
    // Where a moment was asked for just now, from that one on.
    while (turn === this.turn && (screen.awaiting || screen.shown === null)) await sleep(20);
    if (turn !== this.turn) return;
    screen.video.pause();
    this.first = false;
    this.pending = true;
    screen.line?.send({ type: 'back', utc: this.#oldest() });
    let [at, from] = [performance.now(), screen.picture?.utc ?? 0];
    while (turn === this.turn) {
      const now = performance.now();
      const { picture } = screen;
      const order = this.#order();
      const speed = Math.abs(screen.speed);
      const oldest = order.at(-1)?.utc ?? picture?.utc ?? 0;
      if (!this.pending && !this.first && picture && picture.utc - oldest < READY * 1e6 * Math.max(1, speed)) {
        this.pending = true;
        screen.line?.send({ type: 'back', utc: null });
      }
      const target = from - (now - at) * 1000 * speed;
      if (screen.paused || !picture || order.length === 0) {
        [at, from] = [now, picture?.utc ?? from];
        if (this.first && order.length === 0) this.#halt();
        await sleep(40);
      } else if (target >= picture.utc) {
        await sleep(Math.min(40, Math.max(4, (target - picture.utc) / 1000 / speed)));
      } else {
        const to = /** @type {Picture} */ (lastBefore(order, target));
        await this.#show(to, turn);
        // Over a gap, or behind what a decoder manages: from here on.
        if (Math.abs(target - to.utc) > 500_000) [at, from] = [performance.now(), to.utc];
      }
      if (speed !== Math.abs(screen.speed)) [at, from] = [performance.now(), screen.picture?.utc ?? from];
    }
  }

  /** What lies before the picture on the screen, backwards: the rest of its GOPs, then each GOP that was laid behind. */
  #order() {
    const { pictures, picture, video } = this.screen;
    if (!picture) return [];
    const { buffered } = video;
    const order = [];
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.end(i) <= picture.time) continue;
      const own = holds(buffered, i, picture.time);
      order.push(...pictures.list.filter(({ time }) => holds(buffered, i, time) && !(own && time >= picture.time)).reverse());
    }
    return order;
  }
}

/** Are two moments in one buffered range? @param {TimeRanges} ranges @param {number} one @param {number} other */
function joined(ranges, one, other) {
  for (let i = 0; i < ranges.length; i += 1) {
    if (holds(ranges, i, one)) return holds(ranges, i, other);
  }
  return false;
}

/** @param {TimeRanges} ranges @param {number} i @param {number} time */
const holds = (ranges, i, time) => ranges.start(i) <= time + 0.01 && time < ranges.end(i);
