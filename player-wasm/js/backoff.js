// When to try again.

/** Doubling waits with a random share, so that a hundred walls do not come back in step. */
export class Backoff {
  /**
   * @param {{first?: number, most?: number, random?: () => number}} [options] milliseconds
   */
  constructor({ first = 250, most = 2000, random = Math.random } = {}) {
    this.first = first;
    this.most = most;
    this.random = random;
    this.attempt = 0;
  }

  /** The next wait in milliseconds: between three quarters of its step and the whole of it. */
  next() {
    const step = Math.min(this.most, this.first * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    return step * (0.75 + 0.25 * this.random());
  }

  /** It worked. */
  reset() {
    this.attempt = 0;
  }
}
