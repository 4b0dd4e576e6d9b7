// Latency control: the only writer of the rate, and of the playhead once a picture has been shown.

/** @typedef {'low' | 'balanced' | 'smooth'} Latency */

/**
 * What the page sees. Seconds, but for `now` in milliseconds.
 * @typedef {object} Observation
 * @property {number} now
 * @property {number} time     The playhead.
 * @property {number} end      The end of what is buffered from the playhead on.
 * @property {number} newest   The end of what is buffered at all.
 * @property {boolean} shown   Has a picture been shown since the last jump?
 */

/** @typedef {{rate: number, seek: number | null}} Action */

const FLOOR = { low: 0.12, balanced: 0.25, smooth: 1.2 };
const CEILING = 4;

/** Keeps a live picture close to the newest, without ever running dry more often than it must. */
export class Chaser {
  /** @param {Latency} [latency] */
  constructor(latency = 'balanced') {
    this.floor = FLOOR[latency] ?? FLOOR.balanced;
    /** Learned from running dry, seconds. */
    this.margin = 0;
    this.rate = 1;
    this.jumps = 0;
    this.underruns = 0;
    /** @type {number[]} */
    this.gaps = [];
    this.lastArrival = NaN;
    this.lastJump = -Infinity;
    this.lastDry = NaN;
    this.jumpedTo = NaN;
    this.dry = false;
  }

  /** A new start: nothing is done until its first picture is shown. */
  restart() {
    this.rate = 1;
    this.lastArrival = NaN;
    this.lastJump = -Infinity;
    this.lastDry = NaN;
    this.jumpedTo = NaN;
    this.dry = false;
  }

  /** A fragment arrived. @param {number} now milliseconds */
  arrival(now) {
    const gap = (now - this.lastArrival) / 1000;
    this.lastArrival = now;
    // What takes longer is an outage, not jitter.
    if (!(gap >= 0 && gap < 2)) return;
    this.gaps.push(gap);
    if (this.gaps.length > 250) this.gaps.shift();
  }

  /** How far behind the newest picture to stay. */
  get target() {
    const sorted = [...this.gaps].sort((a, b) => a - b);
    const jitter = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
    return Math.min(CEILING, Math.max(this.floor, 1.3 * jitter + 0.04) + this.margin);
  }

  /** The video ran dry. @param {number} now milliseconds */
  underrun(now) {
    if (this.dry) return;
    this.dry = true;
    this.underruns += 1;
    this.lastDry = now;
    this.margin = Math.min(CEILING / 2, this.margin + 0.25 * this.target);
  }

  /** @param {Observation} o @returns {Action} */
  step(o) {
    if (!o.shown) return { rate: (this.rate = 1), seek: null };
    if (o.end - o.time > 0.04) this.dry = false;
    if (Number.isNaN(this.lastDry)) this.lastDry = o.now;
    if (o.now - this.lastDry > 60_000) {
      this.margin *= 0.95;
      this.lastDry = o.now;
    }
    const target = this.target;
    const ahead = o.newest - o.time;
    const excess = ahead - target;
    const moved = !(Math.abs(o.time - this.jumpedTo) < 0.02);
    const mayJump = o.now - this.lastJump > 3000 && moved;
    // A hole in front of the playhead with pictures behind it: step over.
    const stuck = o.end - o.time < 0.02 && ahead > Math.max(0.3, target);
    if ((excess >= 0.8 || stuck) && mayJump) return this.#jump(o, Math.max(o.time, o.newest - target));
    this.rate = this.#rate(excess);
    return { rate: this.rate, seek: null };
  }

  /** @param {Observation} o @param {number} to @returns {Action} */
  #jump(o, to) {
    this.lastJump = o.now;
    this.jumpedTo = to;
    this.jumps += 1;
    this.rate = 1;
    return { rate: 1, seek: to };
  }

  /** In steps of a hundredth, with a dead band that is wider while at rest. @param {number} excess */
  #rate(excess) {
    const band = this.rate === 1 ? 0.12 : 0.03;
    if (Math.abs(excess) < band) return 1;
    const rate = excess > 0 ? 1 + Math.min(0.2, 0.3 * excess) : Math.max(0.9, 1 + 0.3 * excess);
    return Math.round(rate * 100) / 100;
  }
}
