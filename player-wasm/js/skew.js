// Does the camera's clock agree with ours?

/** @import {ClockSource} from './protocol.js' */

/** Beyond this the camera's clock is wrong, milliseconds. */
const MOST = 10_000;
/** A picture cannot come from further ahead than this, milliseconds. */
const AHEAD = 500;

/** Watches the least time from a picture's stamp to its arrival: no network makes that less than nothing. */
export class Skew {
  constructor() {
    /** @type {number[]} */
    this.window = [];
  }

  /**
   * @param {number} transit  Milliseconds from the stamp to the arrival.
   * @param {number} error    Milliseconds that the stamp may be off.
   * @param {ClockSource} source
   */
  observe(transit, error, source) {
    // The time of arrival is our own clock.
    if (source === 'arrival') return;
    this.window.push(transit < 0 ? Math.min(0, transit + error) : transit);
    if (this.window.length > 100) this.window.shift();
  }

  /** Milliseconds that the camera's clock is behind ours (negative: ahead); null where it agrees or is not known. */
  get value() {
    if (this.window.length < 25) return null;
    const least = Math.min(...this.window);
    return least > MOST || least < -AHEAD ? least : null;
  }
}
