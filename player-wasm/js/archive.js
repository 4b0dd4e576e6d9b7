// One stream out of the recording, in the Worker: ranges of the store's files in, fragments out.

/** @import {Cause, Source} from './protocol.js' */
/** @import {Feed} from './feed.js' */
import { Backoff } from './backoff.js';
import load, { Archive } from './wasm/archive.js';

export { load };

/** Kept ready before the playhead, seconds of the video's clock at normal speed. */
const AHEAD = 8;
/** At the end of the recording, look for more this often, milliseconds. */
const FOLLOW = 1000;

export class ArchiveStream {
  /**
   * @param {Source} source
   * @param {string} token
   * @param {Feed} feed
   * @param {(message: any) => void} tell  events, without their id
   */
  constructor(source, token, feed, tell) {
    this.source = source;
    this.token = token;
    this.feed = feed;
    this.tell = tell;
    this.machine = new Archive(source.tenant, source.camera);
    this.backoff = new Backoff();
    this.abort = new AbortController();
    this.closed = false;
    /** Where what is asked for starts, until its first fragment comes. @type {number | null} */
    this.sought = null;
    this.waiting = false;
    this.busy = false;
    this.rate = 1;
    /** Milliseconds that the centre's clock is ahead of ours. */
    this.clockOffset = 0;
    /** Seconds ahead that the browser's memory allows. */
    this.most = AHEAD * 4;
  }

  /** @param {number} utc microseconds */
  seek(utc) {
    this.abort.abort();
    this.abort = new AbortController();
    clearTimeout(this.returning);
    this.sought = utc;
    this.waiting = false;
    this.busy = false;
    this.machine.seek(utc);
    this.#run(this.abort.signal);
  }

  /** The playhead moved. @param {number} rate */
  at(rate) {
    this.rate = rate;
    if (!this.busy && !this.waiting) this.#run(this.abort.signal);
  }

  /** The browser's memory is full: be content with less. */
  less() {
    this.most = Math.max(2, this.most / 2);
  }

  get #wanted() {
    return this.sought !== null || this.feed.ahead < Math.min(this.most, AHEAD * Math.max(1, this.rate));
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    this.busy = true;
    try {
      while (!signal.aborted && !this.waiting && this.#wanted) {
        this.machine.next(Math.round((Date.now() + this.clockOffset) * 1000));
        await this.#drain(signal);
      }
      if (!signal.aborted) this.backoff.reset();
    } catch (error) {
      // The module broke its own promise: the Worker tells the page, which starts another one.
      if (error instanceof WebAssembly.RuntimeError) throw error;
      if (!signal.aborted && !this.closed) this.#failed(error, signal);
    }
    if (!signal.aborted) this.busy = false;
  }

  /** Takes all that the machine gives, and answers what it asks for. @param {AbortSignal} signal */
  async #drain(signal) {
    for (let kind = this.machine.pull(); kind !== undefined; kind = this.machine.pull()) {
      const text = this.machine.text();
      if (kind === 'read') {
        await this.#read(JSON.parse(text), signal);
        if (signal.aborted) return;
      } else {
        this.#output(kind, text);
      }
    }
  }

  /** @param {string} kind @param {string} text */
  #output(kind, text) {
    switch (kind) {
      case 'init':
        this.feed.init(JSON.parse(text), buffer(this.machine.bytes()));
        break;
      case 'fragment':
        if (this.sought !== null) {
          this.feed.restart(false, this.sought);
          this.sought = null;
          this.tell({ type: 'connection', up: true, cause: null, attempt: 0 });
        }
        this.feed.fragment({ bytes: buffer(this.machine.bytes()), text: JSON.parse(text) }, Date.now());
        break;
      case 'gap':
        void this.#gap(JSON.parse(text));
        break;
      case 'damaged':
        this.tell({ type: 'gap', gap: { ...JSON.parse(text), cause: 'damaged' }, time: this.feed.end });
        break;
      case 'end':
        this.tell({ type: 'end' });
        this.#later(FOLLOW);
        break;
      case 'failed':
        throw new Failure(JSON.parse(text));
    }
  }

  /** @param {{path: string, offset: number, length: number}} read @param {AbortSignal} signal */
  async #read({ path, offset, length }, signal) {
    const answer = await this.#fetch(`archive/${path}`, signal, { Range: `bytes=${offset}-${offset + length - 1}` });
    if (answer.status === 206 || answer.status === 200) {
      const whole = new Uint8Array(await answer.arrayBuffer());
      const bytes = answer.status === 200 ? whole.subarray(offset, offset + length) : whole;
      if (!signal.aborted) this.machine.filled(bytes);
    } else if (answer.status === 404) {
      this.machine.absent();
    } else if (answer.status === 416) {
      // Nothing there yet: a growing file asked for beyond its end.
      this.machine.filled(new Uint8Array());
    } else if (answer.status === 401 || answer.status === 403) {
      throw new Failure({ kind: 'refused' });
    } else {
      throw new Failure({ kind: 'storage', text: `HTTP ${answer.status}` });
    }
  }

  /** @param {string} path @param {AbortSignal} signal @param {Record<string, string>} [headers] */
  #fetch(path, signal, headers = {}) {
    if (this.token) headers['Authorization'] = `Bearer ${this.token}`;
    return fetch(new URL(path, this.source.base), { headers, signal, cache: 'no-store', credentials: 'omit' });
  }

  /** Tells of a gap, and of its cause, which the centre's log has and the media has not. @param {{from: number, to: number}} span */
  async #gap({ from, to }) {
    const time = this.feed.end;
    const { signal } = this.abort;
    const { tenant, camera } = this.source;
    const iso = (/** @type {number} */ utc) => encodeURIComponent(new Date(utc / 1000).toISOString());
    let cause = 'unknown';
    try {
      const answer = await this.#fetch(`api/timeline/${tenant}/${camera}?from=${iso(from)}&to=${iso(to)}`, signal);
      cause = answer.ok ? ((await answer.json()).gaps[0]?.cause ?? cause) : cause;
    } catch {
      // Told without it.
    }
    // Of another moment than the one that is looked at by now.
    if (signal.aborted) return;
    this.tell({ type: 'gap', gap: { from, to, cause }, time });
  }

  /** @param {unknown} error @param {AbortSignal} signal */
  #failed(error, signal) {
    /** @type {Cause} */
    const cause = error instanceof Failure ? error.why : { kind: 'centre-unreachable' };
    const wait = this.backoff.next();
    this.tell({ type: 'connection', up: false, cause, attempt: this.backoff.attempt });
    this.#later(cause.kind === 'refused' ? 10_000 : wait, signal);
  }

  /** @param {number} wait milliseconds */
  #later(wait, signal = this.abort.signal) {
    this.waiting = true;
    this.returning = setTimeout(() => {
      if (signal.aborted) return;
      this.waiting = false;
      this.machine.retry();
      this.#run(signal);
    }, wait);
  }

  close() {
    this.closed = true;
    this.abort.abort();
    clearTimeout(this.returning);
    this.machine.free();
  }
}

class Failure extends Error {
  /** @param {Cause} cause */
  constructor(cause) {
    super(cause.kind);
    /** @type {Cause} */
    this.why = cause;
  }
}

/** The bytes as a buffer that can be handed over. @param {Uint8Array} bytes @returns {ArrayBuffer} */
function buffer(bytes) {
  return /** @type {ArrayBuffer} */ (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);
}
