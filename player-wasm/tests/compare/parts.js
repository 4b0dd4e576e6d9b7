// Low-latency HLS (draft-pantos-hls-rfc8216bis) out of fragments of one picture: parts of five, blocking playlists, all in memory.

const PICTURE = 0.04;
/** Pictures in a part, and parts in a segment: the cameras' key pictures are two seconds apart. */
const PART = 5;
const SEGMENTS = 6;
/** A blocking request is answered by then, milliseconds. */
const PATIENCE = 3000;

/** @typedef {{number: number, parts: {key: boolean, bytes: Buffer}[], whole: boolean}} Segment */

export class Parts {
  constructor() {
    /** @type {Buffer | null} */
    this.head = null;
    /** @type {Segment[]} */
    this.segments = [];
    /** Fragments of the part that is being made. @type {{key: boolean, bytes: Buffer}[]} */
    this.open = [];
    this.next = 0;
    /** @type {Set<() => void>} */
    this.waiting = new Set();
  }

  get ready() {
    return this.head !== null && this.segments.filter(({ whole }) => whole).length >= 2;
  }

  /** @param {import('./cut.js').Piece} piece */
  take({ head, key = false, bytes }) {
    if (head) {
      this.head = bytes;
      return;
    }
    if (key) {
      this.#close();
      const last = this.segments.at(-1);
      if (last) last.whole = true;
      this.segments.push({ number: this.next, parts: [], whole: false });
      this.next += 1;
      if (this.segments.length > SEGMENTS + 1) this.segments.shift();
    }
    if (this.segments.length === 0) return;
    this.open.push({ key, bytes });
    if (this.open.length === PART) this.#close();
    else if (key) this.#tell();
  }

  #close() {
    const segment = this.segments.at(-1);
    if (this.open.length === 0 || !segment) return;
    segment.parts.push({ key: this.open[0].key, bytes: Buffer.concat(this.open.map(({ bytes }) => bytes)) });
    this.open = [];
    this.#tell();
  }

  #tell() {
    for (const look of [...this.waiting]) look();
  }

  /** @param {() => boolean} test */
  #until(test) {
    if (test()) return Promise.resolve();
    return new Promise((done) => {
      const end = () => {
        clearTimeout(late);
        this.waiting.delete(look);
        done(null);
      };
      const look = () => test() && end();
      const late = setTimeout(end, PATIENCE);
      this.waiting.add(look);
    });
  }

  /** Is this part there, or the segment over without it? @param {number} number @param {number} part */
  #there(number, part) {
    const last = this.segments.at(-1);
    if (!last) return false;
    if (last.number !== number) return last.number > number;
    return last.parts.length > part;
  }

  /** @param {string} file @param {URLSearchParams} query @returns {Promise<Buffer | string | null>} */
  async answer(file, query) {
    if (file === 'init.mp4') return this.head;
    if (file === 'live.m3u8') {
      const number = query.get('_HLS_msn');
      if (number !== null) await this.#until(() => this.#there(Number(number), Number(query.get('_HLS_part') ?? 1e6)));
      return this.#playlist();
    }
    const [, number, part] = /^s(\d+)(?:\.(\d+))?\.m4s$/.exec(file) ?? [];
    if (number === undefined) return null;
    // A hinted part is asked for before it is there.
    if (part !== undefined) await this.#until(() => this.#there(Number(number), Number(part)));
    const segment = this.segments.find((one) => one.number === Number(number));
    if (!segment) return null;
    if (part === undefined) return segment.whole ? Buffer.concat(segment.parts.map(({ bytes }) => bytes)) : null;
    return segment.parts[Number(part)]?.bytes ?? null;
  }

  #playlist() {
    const target = PART * PICTURE;
    const lines = ['#EXTM3U', '#EXT-X-VERSION:9', '#EXT-X-TARGETDURATION:2', `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=${(3 * target).toFixed(3)}`];
    lines.push(`#EXT-X-PART-INF:PART-TARGET=${target.toFixed(3)}`, `#EXT-X-MEDIA-SEQUENCE:${this.segments[0]?.number ?? 0}`, '#EXT-X-MAP:URI="init.mp4"');
    for (const { number, parts, whole } of this.segments) {
      parts.forEach(({ key }, i) => lines.push(`#EXT-X-PART:DURATION=${target.toFixed(3)},URI="s${number}.${i}.m4s"${key ? ',INDEPENDENT=YES' : ''}`));
      if (whole) lines.push(`#EXTINF:${(parts.length * target).toFixed(3)},`, `s${number}.m4s`);
      else lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s${number}.${parts.length}.m4s"`);
    }
    return `${lines.join('\n')}\n`;
  }
}
