// Which picture is on the screen, and when was it taken.

/** @import {Picture} from './protocol.js' */

/** Half of the finest distance of pictures that a camera sends (120/s), in seconds. */
const TOLERANCE = 0.004;

/** The pictures in the media buffer by their time on the video element's clock, oldest first, bounded. */
export class Pictures {
  constructor(most = 16384) {
    this.most = most;
    /** @type {Picture[]} */
    this.list = [];
  }

  /**
   * Takes a fragment's pictures, in any order.
   * @param {Picture[]} pictures
   */
  add(pictures) {
    const sorted = [...pictures].sort((a, b) => a.time - b.time);
    const last = this.list.at(-1);
    this.list.push(...sorted);
    if (last && sorted[0] && sorted[0].time < last.time) this.list.sort((a, b) => a.time - b.time);
    if (this.list.length > this.most) this.list.splice(0, this.list.length - this.most);
  }

  /** Index of the last picture at or before `time`, or -1. @param {number} time */
  #index(time) {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.list[middle];
      if (at && at.time <= time + TOLERANCE) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The picture that shows at `time`. @param {number} time @returns {Picture | null} */
  at(time) {
    return this.list[this.#index(time)] ?? null;
  }

  /** The picture `n` further on (before it where negative). @param {number} time @param {number} n */
  step(time, n) {
    const index = this.#index(time);
    return index < 0 ? null : (this.list[index + n] ?? null);
  }

  /** Drops what is older than `time`. @param {number} time */
  forget(time) {
    const index = this.#index(time);
    if (index > 0) this.list.splice(0, index);
  }

  clear() {
    this.list.length = 0;
  }
}
