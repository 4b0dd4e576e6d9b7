// One stream out of the recording, in the Worker: ranges of the store's files in, fragments out.

/** @import {Cause, Source} from './protocol.js' */
/** @import {Feed} from './feed.js' */
import { Backoff } from './backoff.js';
import load, { Archive, Film } from './wasm/archive.js';

export { load };

/** Kept ready before the playhead, seconds of the video's clock at normal speed. */
const AHEAD = 8;
/** Of key pictures alone, whose seconds are many of the recording. */
const AHEAD_FILM = 3;
/** At the end of the recording, look for more this often, milliseconds. */
const FOLLOW = 1000;

export class ArchiveStream {
  /**
   * @param {Source} source
   * @param {Feed} feed
   * @param {(message: any) => void} tell  events, without their id
   */
  constructor(source, feed, tell) {
    this.source = source;
    this.feed = feed;
    this.tell = tell;
    this.whole = new Archive(source.tenant, source.camera);
    /** Key pictures alone, once wanted. @type {Film | null} */
    this.film = null;
    /** The one of the two that gives what is fed. @type {Archive | Film} */
    this.machine = this.whole;
    /** Does what comes go backwards? */
    this.backwards = false;
    /** GOPs that may still be fetched backwards, one by one as the page wants them; null: on and on, forwards. @type {number | null} */
    this.credit = null;
    this.backoff = new Backoff();
    this.abort = new AbortController();
    this.closed = false;
    /** Those of the GOP before what was asked for, until the last has come. @type {import('./feed.js').Fragment[] | null} */
    this.parts = null;
    /** Where what is asked for starts, until its first fragment comes. @type {number | null} */
    this.sought = null;
    /** What was sought may lie in a later fragment of the GOP that came first. @type {number | null} */
    this.later = null;
    this.waiting = false;
    this.busy = false;
    this.rate = 1;
    /** Milliseconds that the centre's clock is ahead of ours. */
    this.clockOffset = 0;
    /** Seconds ahead that the browser's memory allows. */
    this.most = AHEAD * 4;
  }

  /** @param {import('./worker.js').Sought} sought */
  go({ utc, back, speed }) {
    if (speed) this.play(utc, speed);
    else this.seek(utc, back);
  }

  /** @param {number} utc microseconds @param {boolean} [back]  What is before it, whatever lies between, and then on. */
  seek(utc, back = false) {
    this.#stop();
    this.sought = back ? utc - 1 : utc;
    this.whole.seek(utc);
    if (back) {
      this.backwards = true;
      this.parts = [];
      this.whole.back(this.#now);
    }
    this.#run(this.abort.signal, back);
  }

  /** Key pictures alone, so many times as fast, from a moment on; backwards where the speed is below 0. @param {number} utc @param {number} speed */
  play(utc, speed) {
    this.#stop();
    this.sought = utc;
    this.film ??= new Film(this.source.tenant, this.source.camera);
    this.film.seek(utc, speed);
    this.machine = this.film;
    this.backwards = speed < 0;
    this.#run(this.abort.signal);
  }

  /** One more GOP backwards, at a place of its own: where to go, the page knows. @param {number | null} utc  Before this; null: before the one given last. */
  back(utc) {
    if (utc !== null) {
      this.#stop();
      this.backwards = true;
      this.credit = 0;
      this.whole.seek(utc);
    }
    if (this.credit === null) return;
    this.credit += 1;
    if (!this.busy && !this.waiting) this.#run(this.abort.signal);
  }

  /** What was asked for is void. */
  #stop() {
    this.abort.abort();
    this.abort = new AbortController();
    clearTimeout(this.returning);
    this.sought = null;
    this.later = null;
    this.parts = null;
    this.credit = null;
    this.backwards = false;
    this.machine = this.whole;
    this.waiting = false;
    this.busy = false;
  }

  get #now() {
    return Math.round((Date.now() + this.clockOffset) * 1000);
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
    if (this.credit !== null) return this.credit > 0;
    const ahead = this.machine === this.film ? AHEAD_FILM : AHEAD * Math.max(1, this.rate);
    return this.sought !== null || this.feed.ahead < Math.min(this.most, ahead);
  }

  /** @param {AbortSignal} signal @param {boolean} [asked]  Is something wanted of the machine already? */
  async #run(signal, asked = false) {
    this.busy = true;
    try {
      if (asked) await this.#drain(signal);
      if (this.parts && !signal.aborted) this.#lay(this.parts);
      while (!signal.aborted && !this.waiting && this.#wanted) {
        if (this.credit === null) {
          this.machine.next(this.#now);
        } else {
          this.credit -= 1;
          this.feed.offset = null;
          this.whole.back(this.#now);
        }
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
        this.#fragment(JSON.parse(text));
        break;
      case 'gap':
        void this.#gap(JSON.parse(text));
        break;
      case 'damaged':
        this.tell({ type: 'gap', gap: { ...JSON.parse(text), cause: 'damaged' }, time: this.feed.end });
        break;
      case 'end':
        this.tell({ type: this.backwards ? 'first' : 'end' });
        // Before the first there will never be more.
        if (this.backwards) this.waiting = true;
        else this.#later(FOLLOW);
        break;
      case 'failed':
        throw new Failure(JSON.parse(text));
    }
  }

  /** Of a GOP, to its last picture, and on from there. @param {import('./feed.js').Fragment[]} parts */
  #lay(parts) {
    this.parts = null;
    this.backwards = false;
    for (const part of parts) {
      if (part === parts[0]) this.feed.offset = null;
      if (part === parts.at(-1)) this.feed.jump = { utc: this.sought };
      this.feed.fragment(part, Date.now());
    }
    this.sought = null;
    this.tell({ type: 'connection', up: true, cause: null, attempt: 0 });
  }

  /** @param {import('./protocol.js').FragmentText} text */
  #fragment(text) {
    if (this.parts) {
      this.parts.push({ bytes: buffer(this.machine.bytes()), text });
      return;
    }
    const times = text.pictures.map(([, utc]) => utc);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    if (this.sought !== null) {
      this.feed.restart(this.sought);
      // A GOP may be stored in parts: the playhead is sent on with each that comes nearer.
      this.later = last < this.sought ? this.sought : null;
      this.sought = null;
      this.tell({ type: 'connection', up: true, cause: null, attempt: 0 });
    } else if (this.later !== null) {
      if (first <= this.later && !text.randomAccess) this.feed.jump = { utc: this.later };
      if (text.randomAccess || last >= this.later) this.later = null;
    }
    this.feed.fragment({ bytes: buffer(this.machine.bytes()), text }, Date.now());
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
    const { base, token } = this.source;
    if (token) headers['Authorization'] = `Bearer ${token}`;
    return fetch(new URL(path, base), { headers, signal, cache: 'no-store', credentials: 'omit' });
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
      this.#run(signal, true);
    }, wait);
  }

  close() {
    this.closed = true;
    this.abort.abort();
    clearTimeout(this.returning);
    this.whole.free();
    this.film?.free();
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
