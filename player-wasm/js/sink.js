// The media buffer: a queue of appends and removals on one SourceBuffer. The same code runs in the Worker, where the
// browser lets a MediaSource live there, and on the page where not.

/** @import {SinkReport} from './protocol.js' */

/** Kept behind the playhead, seconds. */
const BACK = 6;
/** Bytes kept in the browser's buffer; the browsers' own limit is about 150 MB. */
const MOST_BYTES = 48 << 20;
/** Bytes that may wait to be appended. */
const MOST_WAITING = 16 << 20;

/** The media clock only rises; it never comes near this. Seconds. */
const FAR = 1e9;

/**
 * @typedef {{kind: 'init', mime: string, bytes: ArrayBuffer}
 *   | {kind: 'fragment', bytes: ArrayBuffer, start: number, end: number, offset: number, randomAccess: boolean}
 *   | {kind: 'remove', from: number, to: number}} Operation
 */

/** @typedef {{start: number, end: number, bytes: number, randomAccess: boolean}} Held */

/** iPhones have the managed one alone. @type {typeof MediaSource | undefined} */
export const MSE = globalThis.MediaSource ?? /** @type {any} */ (globalThis).ManagedMediaSource;

export class Sink {
  /**
   * @param {(report: SinkReport) => void} report
   */
  constructor(report) {
    this.report = report;
    this.source = new /** @type {typeof MediaSource} */ (MSE)();
    /** @type {SourceBuffer | null} */
    this.buffer = null;
    this.mime = '';
    /** @type {Operation[]} */
    this.queue = [];
    this.waiting = 0;
    /** What is in the buffer, in the order of appending. @type {Held[]} */
    this.held = [];
    this.bytes = 0;
    this.playhead = 0;
    this.retried = false;
    this.dead = false;
    this.opened = false;
    this.source.addEventListener('sourceopen', () => {
      if (this.dead) return;
      this.report({ kind: 'open' });
      this.#work();
    });
    this.source.addEventListener('sourceclose', () => this.#fail('the browser closed the media source'));
  }

  /** @param {string} mime @param {ArrayBuffer} bytes */
  init(mime, bytes) {
    if (!MSE?.isTypeSupported(mime)) {
      this.dead = true;
      this.report({ kind: 'unsupported', mime });
      return;
    }
    this.queue.push({ kind: 'init', mime, bytes });
    this.#work();
  }

  /**
   * @param {ArrayBuffer} bytes
   * @param {{start: number, end: number, offset: number, randomAccess: boolean}} times seconds; `offset` is added to
   *   the fragment's own
   */
  fragment(bytes, { start, end, offset, randomAccess }) {
    this.waiting += bytes.byteLength;
    this.queue.push({ kind: 'fragment', bytes, start, end, offset, randomAccess });
    if (this.waiting > MOST_WAITING) this.#fail('the browser takes no media');
    else this.#work();
  }

  /** The video element's time: what lies well behind it goes. @param {number} time */
  at(time) {
    this.playhead = time;
    this.#evict(time - BACK, MOST_BYTES);
    this.#work();
  }

  close() {
    this.dead = true;
    this.queue = [];
    this.held = [];
    this.bytes = 0;
  }

  /**
   * Queues the removal of what ends before `before`, and of more where `most` bytes are passed. Only whole GOPs:
   * removing a part of one takes its rest along (Media Source Extensions, coded frame removal algorithm).
   * @param {number} before @param {number} most
   */
  #evict(before, most) {
    let count = 0;
    let bytes = this.bytes;
    let left = bytes;
    for (const [i, held] of this.held.entries()) {
      if (held.randomAccess && held.start <= this.playhead - 0.5 && (held.start <= before || this.bytes > most)) {
        count = i;
        left = bytes;
        if (held.start > before && left <= most) break;
      }
      bytes -= held.bytes;
    }
    const next = this.held[count];
    if (!next || count === 0) return false;
    this.held.splice(0, count);
    this.bytes = left;
    this.queue.unshift({ kind: 'remove', from: 0, to: next.start });
    return true;
  }

  #work() {
    if (this.dead || this.source.readyState !== 'open' || this.buffer?.updating) return;
    this.#open();
    const operation = this.queue[0];
    if (!operation) return;
    try {
      this.#run(operation);
      this.queue.shift();
    } catch (error) {
      this.#refused(operation, error);
    }
  }

  /** Lets the playhead be sent where nothing is yet: a seek is held to what counts as seekable, else to what is buffered. */
  #open() {
    if (!this.buffer || this.opened || Number.isNaN(this.source.duration)) return;
    this.opened = true;
    this.source.duration = Infinity;
    this.source.setLiveSeekableRange(0, FAR);
  }

  /** @param {Operation} operation */
  #run(operation) {
    switch (operation.kind) {
      case 'init':
        this.#type(operation.mime);
        this.buffer?.appendBuffer(operation.bytes);
        break;
      case 'fragment': {
        if (!this.buffer) throw new Error('a fragment before its init segment');
        const { bytes, start, end, offset, randomAccess } = operation;
        if (this.buffer.timestampOffset !== offset) this.buffer.timestampOffset = offset;
        this.buffer.appendBuffer(bytes);
        this.waiting -= bytes.byteLength;
        this.held.push({ start, end, bytes: bytes.byteLength, randomAccess });
        this.bytes += bytes.byteLength;
        this.retried = false;
        break;
      }
      case 'remove':
        this.buffer?.remove(operation.from, operation.to);
    }
  }

  /** @param {string} mime */
  #type(mime) {
    if (!this.buffer) {
      this.buffer = this.source.addSourceBuffer(mime);
      this.buffer.mode = 'segments';
      this.buffer.addEventListener('updateend', () => this.#work());
      this.buffer.addEventListener('error', () => this.#fail('the decoder refused the stream'));
    } else if (mime !== this.mime) {
      this.buffer.changeType(mime);
    }
    this.mime = mime;
  }

  /** @param {Operation} operation @param {unknown} error */
  #refused(operation, error) {
    const name = error instanceof Error || error instanceof DOMException ? error.name : '';
    // By name: the class differs between browsers.
    if (name !== 'QuotaExceededError') {
      this.#fail(error instanceof Error ? error.message : String(error));
      return;
    }
    this.report({ kind: 'quota', bytes: this.bytes });
    if (operation.kind === 'fragment' && !this.retried && this.#evict(this.playhead - 0.5, this.bytes / 2)) {
      this.retried = true;
      this.#work();
    } else {
      this.#fail('the browser’s media buffer is full');
    }
  }

  /** @param {string} text */
  #fail(text) {
    if (this.dead) return;
    this.close();
    this.report({ kind: 'failed', text });
  }
}
