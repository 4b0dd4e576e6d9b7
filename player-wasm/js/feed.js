// Lays a stream's fragments on the clock of one video element, without holes, and hands them to its media buffer.

/** @import {Format, FragmentText, FromWorker, Picture, SinkReport} from './protocol.js' */
import { mime } from './mime.js';
import { Sink } from './sink.js';

/** @type {import('./protocol.js').ClockSource[]} */
const SOURCES = ['onvif-extension', 'sender-report', 'range-clock', 'arrival', 'index'];

/** Ticks in a second, on the stream's own clock. */
const TICKS = 90_000;
/** Room before the first picture, so that no decoding time falls below zero. Seconds. */
const LEAD = 10;

/**
 * A fragment out of WebAssembly.
 * @typedef {{bytes: ArrayBuffer, text: FragmentText}} Fragment
 */

/** A media clock that only rises: each time stands for one picture, whatever was jumped over between two. */
export class Feed {
  /**
   * @param {number} id
   * @param {(message: FromWorker, transfer?: Transferable[]) => void} post
   * @param {boolean} page  Does the media buffer live on the page?
   */
  constructor(id, post, page) {
    this.id = id;
    this.post = post;
    this.page = page;
    this.generation = 0;
    /** @type {Sink | null} */
    this.sink = null;
    /** The last init segment, for a buffer made anew. @type {{format: Format, bytes: ArrayBuffer} | null} */
    this.last = null;
    this.attached = false;
    /** @type {(report: SinkReport) => void} */
    this.onreport = () => {};
    /** Is told of what comes, where that is live. @type {import('./wasm/live.js').Pace | null} */
    this.pace = null;
    /** Where the next fragment goes that continues the last one. */
    this.end = LEAD;
    /** Added to the stream's times; null: the next fragment starts at a place of its own. @type {number | null} */
    this.offset = null;
    this.epoch = 0;
    this.step = 0.04;
    this.playhead = 0;
    /** Where the playhead was last sent. @type {number | null} */
    this.started = null;
    /** Where it is to be sent next: to that picture, or to the first that comes. @type {{utc: number | null} | null} */
    this.jump = null;
  }

  /** Seconds that wait before the playhead. */
  get ahead() {
    return this.end - Math.max(this.playhead, this.started ?? 0);
  }

  /** A new media buffer, at the page's wish or because the old one failed. @param {boolean} page */
  rebuild(page) {
    this.page = page;
    this.sink?.close();
    this.sink = null;
    this.attached = false;
    this.end = LEAD;
    this.offset = null;
    this.started = null;
    this.playhead = 0;
  }

  #attach() {
    this.attached = true;
    this.generation += 1;
    const { id, generation } = this;
    if (this.page) {
      this.post({ type: 'attach', id, generation, handle: null });
      return;
    }
    this.sink = new Sink((report) => {
      this.post({ type: 'sink', id, generation, report });
      this.onreport(report);
    });
    const handle = this.sink.source.handle;
    this.post({ type: 'attach', id, generation, handle }, [/** @type {Transferable} */ (handle)]);
  }

  /** What comes next does not continue what came before: the playhead will be sent there. @param {number | null} utc */
  restart(utc) {
    this.offset = null;
    this.jump = { utc };
  }

  /** @param {Format} format @param {ArrayBuffer} bytes */
  init(format, bytes) {
    this.last = { format, bytes };
    if (!this.attached) this.#attach();
    const { id, generation } = this;
    const copy = this.page ? bytes.slice(0) : null;
    this.post({ type: 'init', id, generation, format, bytes: copy }, copy ? [copy] : []);
    this.sink?.init(mime(format), bytes);
  }

  /** @param {Fragment} fragment @param {number} arrived milliseconds */
  fragment({ bytes, text: ticks }, arrived) {
    const text = inSeconds(ticks);
    if (!this.attached) {
      if (!this.last) return;
      this.init(this.last.format, this.last.bytes);
    }
    const offset = this.#place(text);
    const start = text.start + offset;
    const end = text.end + offset;
    this.end = Math.max(this.end, end);
    this.step = (text.end - text.start) / Math.max(1, text.pictures.length);
    const pictures = this.#pictures(text, offset);
    this.#announce(start, pictures);
    const { id, generation, page } = this;
    const { randomAccess, damaged } = text;
    const times = { start, end, offset, randomAccess };
    this.pace?.arrived(performance.now(), text.end, text.end - text.start, text.epoch);
    const size = bytes.byteLength;
    this.post(
      { type: 'fragment', id, generation, ...times, damaged, arrived, size, pictures, bytes: page ? bytes : null },
      page ? [bytes] : [],
    );
    this.sink?.fragment(bytes, times);
  }

  /**
   * What is added to a fragment's times. Browsers skip to the next key picture when decoding times leap by more than
   * two pictures (Media Source Extensions, coded frame processing), so a hole is closed; the table of pictures keeps
   * the true times.
   * @param {FragmentText} text
   */
  #place(text) {
    const natural = this.offset === null || text.epoch !== this.epoch ? NaN : text.start + this.offset - this.end;
    this.epoch = text.epoch;
    const close = natural > -0.5 && natural < Math.max(0.8 * this.step, 0.002);
    if (!close) {
      const from = this.offset === null && this.end > LEAD ? this.end + 1 : this.end;
      this.offset = from - text.start;
    }
    return this.offset ?? 0;
  }

  /** @param {FragmentText} text @param {number} offset @returns {Picture[]} */
  #pictures(text, offset) {
    const pictures = text.pictures.map(([pts, utc, source, error]) => {
      return /** @type {Picture} */ ({ time: pts + offset, utc, source: SOURCES[source] ?? 'arrival', error });
    });
    for (const [pts, uuid, hex] of text.userData) {
      const picture = pictures.find((p) => Math.abs(p.time - pts - offset) < 1e-6);
      if (picture) (picture.userData ??= []).push({ uuid, hex });
    }
    return pictures;
  }

  /** Sends the playhead to the first picture, or the one asked for. @param {number} start @param {Picture[]} pictures */
  #announce(start, pictures) {
    if (!this.jump && this.started !== null) return;
    const utc = this.jump?.utc ?? null;
    const wanted = utc === null ? null : pictures.filter((p) => p.utc <= utc).sort((a, b) => b.time - a.time)[0];
    // Into the picture asked for: at its very start Firefox shows the one before.
    const time = wanted ? wanted.time + this.step / 4 : start;
    this.jump = null;
    this.started = time;
    this.playhead = time;
    this.pace?.started(performance.now());
    const { id, generation } = this;
    this.post({ type: 'start', id, generation, time });
  }

  /** @param {number} time */
  at(time) {
    this.playhead = Math.max(time, this.started ?? 0);
    this.sink?.at(time);
  }

  close() {
    this.sink?.close();
    this.sink = null;
  }
}

/** @param {FragmentText} ticks @returns {FragmentText} */
const inSeconds = ({ start, end, pictures, userData, ...rest }) => ({
  ...rest,
  start: start / TICKS,
  end: end / TICKS,
  pictures: pictures.map(([pts, ...more]) => [pts / TICKS, ...more]),
  userData: userData.map(([pts, ...more]) => [pts / TICKS, ...more]),
});
