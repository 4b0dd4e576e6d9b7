// From sticks and keys to speeds: what a hand does, what a camera is sent.

/** @typedef {{pan: number, tilt: number, zoom: number}} Velocity  −1 to 1: right, up, closer are positive. */

/** @type {Velocity} */
export const STILL = Object.freeze({ pan: 0, tilt: 0, zoom: 0 });

/** Of the way of a stick nothing is sent: none comes to rest in its very middle. */
export const DEAD = 0.12;
/** Below 1 the first half of the way would move a camera faster than the second. */
export const CURVE = 2;
/** Speeds are told apart in steps of this. */
const STEP = 0.02;

const round = (/** @type {number} */ value) => Math.round(value / STEP) * STEP || 0;
const clamp = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value));

/**
 * A stick's two axes (right and down positive, as Gamepad has them) to speeds. The dead zone is round and what is left of the way
 * is stretched, so that slow movement starts at its edge and a slant stays the slant it is.
 * @param {number} x @param {number} y @param {{dead?: number, curve?: number}} [how]
 */
export function stick(x, y, { dead = DEAD, curve = CURVE } = {}) {
  const way = Math.hypot(x, y);
  if (!(way > dead)) return { pan: 0, tilt: 0 };
  const speed = Math.min(1, (way - dead) / (1 - dead)) ** curve;
  return { pan: round(clamp((x / way) * speed)), tilt: round(clamp((-y / way) * speed)) };
}

/** One axis of its own, as a trigger is. @param {number} value @param {{dead?: number, curve?: number}} [how] */
export function axis(value, how) {
  return stick(value, 0, how).pan;
}

/** @param {Velocity} a @param {Velocity} b */
export const same = (a, b) => a.pan === b.pan && a.tilt === b.tilt && a.zoom === b.zoom;

/** @param {Velocity} velocity */
export const still = (velocity) => same(velocity, STILL);

/**
 * Lets velocities through: a new one at once or, where the last was a moment ago, when its time has come; the newest alone;
 * a stop always at once. While a camera moves it is told so again and again, so that one that hears nothing may stop by itself.
 */
export class Gate {
  /**
   * @param {(velocity: Velocity) => void} send
   * @param {{every?: number, again?: number}} [how]  Milliseconds between two that differ, and between two that do not.
   */
  constructor(send, { every = 100, again = 400 } = {}) {
    this.send = send;
    this.every = every;
    this.again = again;
    /** What was sent last, and when. @type {Velocity} */
    this.last = STILL;
    this.at = -Infinity;
  }

  /** What the hand does now; to be called often while it does. @param {Velocity} velocity @param {number} now milliseconds */
  take(velocity, now) {
    if (still(velocity)) {
      if (!still(this.last)) this.#send(STILL, now);
      return;
    }
    if (now - this.at < (same(velocity, this.last) ? this.again : this.every)) return;
    this.#send(velocity, now);
  }

  /** @param {Velocity} velocity @param {number} now */
  #send(velocity, now) {
    this.last = velocity;
    this.at = now;
    this.send(velocity);
  }
}
