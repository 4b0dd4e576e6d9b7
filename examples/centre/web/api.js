// What the centre says: cameras and what is recorded. The token goes in a header, never in an address.

/** @import {Row} from '/player/timeline.js' */

/**
 * @typedef {object} Camera
 * @property {string} tenant
 * @property {string} id
 * @property {string} key        `tenant/camera`.
 * @property {string} name
 * @property {number} number
 * @property {boolean} moves      Can it be moved?
 * @property {string} state      `recording`, `not-recorded`, `connecting`, `stale`, `no-signal` or `unauthorized`.
 * @property {string} since      RFC 3339.
 * @property {string | null} reason
 * @property {string | null} reason_code  The stable number of the error behind it, as `V0710`.
 * @property {string | null} codec
 * @property {string | null} codec_string
 * @property {number | null} width
 * @property {number | null} height
 * @property {number | null} frame_rate
 * @property {number | null} bit_rate
 * @property {number | null} gop_seconds
 * @property {Record<string, number>} quirks
 * @property {number} loss
 * @property {{source: string, error_ms: number} | null} clock
 */

/** @typedef {{id: string, name: string, cameras: Camera[]}} Tenant */

/** The centre refused: `status` is HTTP's; 0 where it did not answer at all. */
export class Refusal extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** Microseconds of an RFC 3339 text. @param {string} text */
export const micros = (text) => Date.parse(text) * 1000;

export class Centre {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
    /** Milliseconds that the centre's clock is ahead of ours, as the quickest answer of late shows it. */
    this.offset = 0;
    /** @type {{turn: number, offset: number}[]} */
    this.turns = [];
    /** What a camera is to be told next, while it is told something. @type {Map<string, {pan: number, tilt: number, zoom: number} | null>} */
    this.orders = new Map();
  }

  /** The centre's clock, UTC microseconds. */
  get now() {
    return (Date.now() + this.offset) * 1000;
  }

  /** @param {string} path @returns {Promise<any>} */
  async #get(path) {
    let answer;
    try {
      const headers = { Authorization: `Bearer ${this.token}` };
      answer = await fetch(path, { headers, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(8000) });
    } catch {
      throw new Refusal(0);
    }
    if (!answer.ok) throw new Refusal(answer.status);
    return answer.json();
  }

  /**
   * Moves a camera, for a second. One order at a time, the newest next: none overtakes another, and a stop comes last.
   * @param {Camera} camera @param {{pan: number, tilt: number, zoom: number}} velocity
   */
  async move({ tenant, id, key }, { pan, tilt, zoom }) {
    const busy = this.orders.has(key);
    this.orders.set(key, { pan, tilt, zoom });
    if (busy) return;
    try {
      for (let next = this.orders.get(key); next; next = this.orders.get(key)) {
        this.orders.set(key, null);
        const headers = { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' };
        const how = { method: 'POST', headers, body: JSON.stringify(next), credentials: /** @type {const} */ ('omit') };
        // The stop of a page that closes is still sent.
        const answer = await fetch(`/api/demo/camera/${tenant}/${id}/move`, { ...how, keepalive: true, signal: AbortSignal.timeout(2000) });
        if (!answer.ok) throw new Refusal(answer.status);
      }
    } finally {
      this.orders.delete(key);
    }
  }

  /** @returns {Promise<Tenant[]>} */
  async cameras() {
    const sent = Date.now();
    const { tenants, now } = await this.#get('/api/cameras');
    const received = Date.now();
    this.turns.push({ turn: received - sent, offset: Date.parse(now) - (sent + received) / 2 });
    if (this.turns.length > 12) this.turns.shift();
    const best = this.turns.reduce((a, b) => (b.turn < a.turn ? b : a));
    // Within the turn's own uncertainty the two clocks are taken for one.
    this.offset = Math.abs(best.offset) <= best.turn / 2 + 2 ? 0 : best.offset;
    for (const tenant of tenants) {
      for (const camera of tenant.cameras) {
        camera.tenant = tenant.id;
        camera.key = `${tenant.id}/${camera.id}`;
      }
    }
    return tenants;
  }

  /**
   * What is recorded of a camera, and what is not.
   * @param {Camera} camera @param {number} from @param {number} to  UTC microseconds
   * @returns {Promise<Row>}
   */
  async timeline({ tenant, id, key, name, number }, from, to) {
    const iso = (/** @type {number} */ utc) => encodeURIComponent(new Date(utc / 1000).toISOString());
    const { ranges, gaps, holds } = await this.#get(`/api/timeline/${tenant}/${id}?from=${iso(from)}&to=${iso(to)}`);
    /** @template {{from: string, to: string}} T @param {T} span */
    const span = (span) => ({ ...span, from: micros(span.from), to: micros(span.to) });
    const hold = (/** @type {{from: string, to: string, case: string}} */ held) => ({ ...span(held), label: held.case });
    const row = { key, label: `${number} ${name}`, ranges: ranges.map(span), gaps: gaps.map(span) };
    // null: the journal cannot be read. That is not the same as none.
    return holds ? { ...row, holds: holds.map(hold) } : row;
  }
}
