// One video element and the stream on it: which picture shows, how late it is, and what to do when none comes.

/** @import {Cause, Format, FromWorker, Gap, Picture, Source} from './protocol.js' */
/** @import {Evidence} from './judge.js' */
/** @typedef {'low' | 'balanced' | 'smooth'} Latency */
/** @import {Trick} from './trick.js' */
import { mime } from './mime.js';
import { Mount } from './mount.js';
import { Pictures } from './pictures.js';
import { Line } from './pool.js';
import { contains, edges } from './ranges.js';
import { Skew } from './skew.js';

/** The page looks after its streams this often, milliseconds. */
const TICK = 200;
/** A tab hidden for this long is no longer fed, milliseconds. */
const HIDDEN = 5000;
/** What `Pace` is told of the element. */
const SEEKING = 1;
const DRY = 2;
const IDLE = 4;
/** A picture of the recording is waited for before it plays, milliseconds. */
const STILL_START = 2000;
/** Files that did not load are asked for again this often, milliseconds. */
const LOAD_AGAIN = 10_000;
/** A codec that this browser lacks is asked about again this often: it can be changed in the camera, milliseconds. */
const ASK_AGAIN = 60_000;

/**
 * @typedef {object} Watcher
 * @property {(picture: Picture) => void} picture  Another picture is on the screen.
 * @property {() => void} tick                     Time passed, or something changed.
 * @property {(gap: Gap) => void} gap              The playhead passes over what is not recorded.
 * @property {(type: string) => void} tell         As `HTMLMediaElement` names it.
 */

export class Screen {
  /** @param {Source} source @param {HTMLVideoElement} video @param {Watcher} watcher @param {Latency} latency */
  constructor(source, video, watcher, latency) {
    this.source = source;
    this.video = video;
    this.watcher = watcher;
    this.pictures = new Pictures();
    this.latency = latency;
    /** What the Worker says of the distance kept. */
    this.pace = { target: 0, jumps: 0, underruns: 0 };
    this.dry = false;
    this.skew = new Skew();
    /** @type {Line | null} */
    this.line = null;
    this.mount = new Mount(video, {
      reported: (generation, report) => this.line?.send({ type: 'sink', generation, report }),
      rebuild: () => this.#rebuild(),
      failed: (cause) => this.#failed(cause),
      refused: () => (this.count.quota += 1),
    });
    this.page = false;
    this.live = true;
    this.paused = false;
    this.speed = 1;
    /** What the element plays at: of key pictures alone, 1 whatever the speed. */
    this.rate = 1;
    /** Steps, and what is not played on and on: loaded when first wanted. @type {Trick | null} */
    this.trick = null;
    this.offset = 0;
    /** @type {Format | null} */
    this.format = null;
    /** @type {Picture | null} */
    this.picture = null;
    /** @type {number | null} */
    this.shown = null;
    this.opened = 0;
    /** Where the playhead was sent last, on the video's clock. */
    this.start = 0;
    this.startPending = false;
    /** Another moment was asked for; what still shows is the one before. */
    this.awaiting = false;
    this.interval = 40;
    /** @type {Cause | null} */
    this.cause = null;
    this.up = false;
    this.attempt = 0;
    /** @type {number | null} */
    this.damagedAt = null;
    /** @type {number | null} */
    this.soughtUtc = null;
    this.lastEnd = 0;
    /** @type {number | null} */
    this.endAt = null;
    /** Gaps ahead of the playhead. @type {{time: number, gap: Gap}[]} */
    this.gaps = [];
    this.count = { pictures: 0, fragments: 0, bytes: 0, rebuilds: 0, quota: 0, reconnects: 0, rungs: 0 };
    /** @type {Record<string, unknown>} */
    this.machine = {};
    this.suspended = false;
    /** The page and the video element outlive this. */
    this.listening = new AbortController();
  }

  /** @param {number | null} at  UTC microseconds; null: live */
  async open(at) {
    this.close();
    this.#wanted(at);
    // A codec that was lacking is lacking until a picture shows.
    if (this.cause?.kind !== 'unsupported') this.cause = null;
    this.#listen();
    this.ticking = setInterval(() => this.#tick(), TICK);
    const line = new Line((message) => this.#heard(message));
    this.line = line;
    this.#frames();
    // What showed is gone: at once the tile says so.
    this.watcher.tick();
    await line.ready;
    if (this.line !== line) return;
    this.cause = line.lane.broken ?? this.cause;
    if (line.lane.broken) {
      this.#later(LOAD_AGAIN);
      return;
    }
    this.page = this.mount.page(line.lane.mse);
    const { source, page, latency, offset } = this;
    line.send({ type: 'open', source, at: this.live ? null : this.soughtUtc, page, latency, offset });
    this.#suspend();
  }

  #listen() {
    const { video } = this;
    const { signal } = (this.listening = new AbortController());
    document.addEventListener('visibilitychange', () => this.#visibility(), { signal });
    for (const type of ['loadedmetadata', 'durationchange', 'progress']) video.addEventListener(type, () => this.#begin(), { signal });
    video.addEventListener('waiting', () => (this.dry = true), { signal });
    video.addEventListener('playing', () => (this.dry = false), { signal });
  }

  /** Another distance from the camera. @param {Latency} latency */
  profile(latency) {
    this.latency = latency;
    this.line?.send({ type: 'latency', latency });
  }

  /** The centre's clock is so far ahead of this page's. @param {number} ms */
  clock(ms) {
    if (ms === this.offset) return;
    this.offset = ms;
    this.line?.send({ type: 'clock', offset: ms });
  }

  /** Shows what the camera sends now. */
  goLive() {
    this.trick?.stop();
    this.#wanted(null);
    if (this.#final()) this.#later(0);
    else this.line?.send({ type: 'live' });
    this.resume();
  }

  /** Plays the recording from a moment on. @param {number} utc microseconds */
  seek(utc) {
    this.trick?.stop();
    this.go({ type: 'seek', utc });
  }

  /** @param {{type: 'seek', utc: number, back?: boolean} | {type: 'film', utc: number, speed: number}} order */
  go(order) {
    this.#wanted(order.utc);
    this.#suspend();
    // What is recorded there may be of another codec.
    if (this.#final()) this.#later(0);
    else this.line?.send(order);
  }

  async tricks() {
    const { Trick } = await import('./trick.js');
    return (this.trick ??= new Trick(this));
  }

  /** @param {number | null} at */
  #wanted(at) {
    this.live = at === null;
    this.soughtUtc = at;
    this.awaiting = true;
    this.opened = performance.now();
    this.shown = null;
    this.endAt = null;
    this.gaps = [];
    this.damagedAt = null;
    this.mount.strikes = 0;
    if (this.live) this.speed = this.rate = 1;
  }

  pause() {
    this.paused = true;
    this.video.pause();
    this.#suspend();
    this.watcher.tick();
  }

  resume() {
    const was = this.paused;
    this.paused = false;
    if (was && this.live) this.#wanted(null);
    this.#suspend();
    this.#play();
    this.watcher.tick();
  }

  /** Nothing is fed while paused or hidden for long. */
  #suspend() {
    const on = this.live && (this.paused || this.hidden === true);
    if (on === this.suspended) return;
    this.suspended = on;
    this.line?.send({ type: 'suspend', on });
    if (!on) this.opened = performance.now();
  }

  #visibility() {
    clearTimeout(this.hiding);
    if (document.hidden) {
      this.hiding = setTimeout(() => {
        this.hidden = true;
        this.#suspend();
      }, HIDDEN);
    } else {
      this.hidden = false;
      this.opened = performance.now();
      if (this.shown !== null) this.shown = this.opened;
      this.#suspend();
      this.#play();
    }
  }

  /** @param {FromWorker} message */
  #heard(message) {
    if ('generation' in message && message.type !== 'attach' && message.generation !== this.mount.generation) return;
    this.trick?.heard(message);
    switch (message.type) {
      case 'attach':
        this.pictures.clear();
        this.startPending = false;
        this.mount.attach(message.generation, message.handle);
        break;
      case 'init':
        this.format = message.format;
        if (message.bytes) this.mount.sink?.init(mime(message.format), message.bytes);
        break;
      case 'fragment':
        this.#fragment(message);
        break;
      case 'start':
        this.start = message.time;
        this.startPending = true;
        this.awaiting = false;
        this.opened = performance.now();
        this.shown = null;
        this.#begin();
        break;
      case 'pace':
        this.#act(message);
        return;
      case 'gap':
        this.gaps.push({ time: message.time, gap: message.gap });
        break;
      case 'end':
        this.endAt = this.lastEnd;
        break;
      case 'connection':
        if (!message.up && this.up) this.count.reconnects += 1;
        this.up = message.up;
        this.attempt = message.attempt;
        if (!this.#final()) this.cause = message.cause;
        // What plays recordings did not load: the live picture may go on.
        if (message.cause?.kind === 'worker') this.#later(LOAD_AGAIN);
        break;
      case 'sink':
        this.mount.report(message.report);
        break;
      case 'stats':
        this.machine = message.stats;
        break;
      case 'crashed':
        this.count.rebuilds += 1;
        this.#later(500);
    }
    if (message.type !== 'fragment') this.watcher.tick();
  }

  /** @param {Extract<FromWorker, {type: 'fragment'}>} message */
  #fragment(message) {
    const { start, end, offset, randomAccess, damaged, pictures, bytes, size, arrived } = message;
    this.pictures.add(pictures);
    if (bytes) this.mount.sink?.fragment(bytes, { start, end, offset, randomAccess });
    this.#begin();
    this.lastEnd = Math.max(this.lastEnd, end);
    this.endAt = null;
    this.count.fragments += 1;
    this.count.bytes += size;
    this.interval = ((end - start) / Math.max(1, pictures.length)) * 1000;
    if (damaged) this.damagedAt = start;
    else if (randomAccess) this.damagedAt = null;
    const newest = pictures.at(-1);
    if (this.live && newest) {
      this.skew.observe(arrived + this.offset - newest.utc / 1000, newest.error / 1000, newest.source);
    }
  }

  /** Goes where the stream told to, as soon as the element can. */
  #begin() {
    if (!this.startPending || this.video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    // A seek to where nothing counts as seekable yet is dropped without a word: the range comes a moment after the metadata.
    if (!contains(this.video.seekable, this.start)) return;
    this.startPending = false;
    this.video.currentTime = this.start;
    this.video.playbackRate = this.live ? 1 : this.rate;
    // What is looked up in the recording stands until it is seen: the first picture shown is the one asked for.
    if (this.live) this.#play();
    else this.video.pause();
  }

  #play() {
    if (this.paused || this.trick?.mode === 'back') return;
    // A newer load interrupts an older play: not worth a word.
    this.video.play().catch(() => {});
  }

  #frames() {
    const { line, video } = this;
    video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (this.line !== line) return;
      this.#frames();
      this.#frame(mediaTime);
    });
  }

  /** @param {number} mediaTime */
  #frame(mediaTime) {
    // Firefox 153 now and then tells of a frame that is still to come, some pictures ahead of the playhead.
    const now = this.video.currentTime;
    const picture = this.pictures.at(mediaTime > now + Math.max(0.1, this.interval / 400) ? now : mediaTime);
    // Before the start lies what was there before a seek or a new connection.
    if (!picture || picture.time < this.start - 0.25 || this.startPending || this.awaiting) return;
    this.count.pictures += 1;
    if (!this.live && this.video.paused) this.#play();
    this.picture = picture;
    const first = this.shown === null;
    this.shown = performance.now();
    // What came before the present is jumped over at once.
    if (first && this.live) this.#look();
    if (this.cause?.kind === 'decoder' || this.cause?.kind === 'unsupported') this.cause = null;
    this.watcher.picture(picture);
    const passed = this.gaps[0];
    if (passed && passed.time <= mediaTime + 0.02) {
      this.gaps.shift();
      this.watcher.gap(passed.gap);
    }
  }

  /** Milliseconds from the picture on the screen to now, by its UTC. */
  get delay() {
    if (!this.picture || !this.live) return null;
    return performance.timeOrigin + performance.now() + this.offset - this.picture.utc / 1000;
  }

  #tick() {
    const { video } = this;
    const time = video.currentTime;
    // Where no frame is told of while paused.
    if (!this.live && video.paused && this.shown === null && performance.now() - this.opened > STILL_START) this.#play();
    this.#begin();
    if (this.mount.generation && !this.startPending) {
      this.#look();
      this.mount.sink?.at(time);
      this.pictures.forget(time - 30);
    }
    if (this.shown !== null) this.mount.calm();
    this.watcher.tick();
  }

  /** Tells the Worker what is on the screen; what is to be done about it comes back as `pace`. */
  #look() {
    const { video, live, dry } = this;
    const time = video.currentTime;
    const { end, newest } = edges(video.buffered, time);
    const idle = !live || this.paused || document.hidden || this.suspended || this.#final();
    const flags = (video.seeking ? SEEKING : 0) | (dry && this.shown !== null && !video.seeking ? DRY : 0) | (idle ? IDLE : 0);
    this.line?.send({ type: 'playhead', time, rate: this.rate, end, newest, pictures: this.count.pictures, flags });
  }

  /** @param {Extract<FromWorker, {type: 'pace'}>} action */
  #act({ rate, seek, rung, target, jumps, underruns }) {
    const { video } = this;
    this.pace = { target, jumps, underruns };
    if (!this.live || this.paused || this.startPending) return;
    if (rung) this.count.rungs += 1;
    if (rung > 1) this.mount.climb(rung);
    else if (seek !== null && (rung || this.shown !== null)) {
      video.currentTime = seek;
      if (rung) this.#play();
    }
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  /** @param {Cause} cause */
  #failed(cause) {
    this.cause = cause;
    if (cause.kind !== 'decoder') this.line?.send({ type: 'close' });
    if (cause.kind === 'unsupported') this.#later(ASK_AGAIN);
    this.watcher.tick();
  }

  /** Opens anew, with all that was asked for. @param {number} wait milliseconds */
  #later(wait) {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.#again(), wait);
  }

  /** What plays goes on playing; what does not is asked for again. @param {string} token */
  renew(token) {
    this.source.token = token;
    if (this.up) this.line?.send({ type: 'token', token });
    else this.#again();
  }

  /** Opens anew where the recording is by now, and not where it was sent first. */
  #again() {
    // Of the present no picture is left to stand still.
    if (this.live) this.paused = false;
    void this.open(this.live ? null : ((this.shown && this.picture?.utc) ?? this.soughtUtc));
  }

  #rebuild() {
    this.trick?.stop();
    this.count.rebuilds += 1;
    this.mount.generation = 0;
    this.page = this.mount.page(this.line?.lane.mse === true);
    this.lastEnd = 0;
    this.pictures.clear();
    this.line?.send({ type: 'rebuild', page: this.page, utc: this.live ? null : (this.picture?.utc ?? this.soughtUtc) });
  }

  /** Is it nothing that time alone repairs? */
  #final() {
    return ['unsupported', 'media-blocked', 'wasm-blocked', 'worker'].includes(this.cause?.kind ?? '');
  }

  /** @returns {Evidence} */
  get evidence() {
    const now = performance.now();
    const time = this.video.currentTime;
    return {
      now,
      open: this.line !== null,
      live: this.live,
      paused: this.paused,
      opened: this.opened,
      shown: this.shown,
      old: this.picture !== null,
      interval: this.interval,
      delay: this.delay,
      skew: this.skew.value,
      damaged: this.damagedAt !== null && time >= this.damagedAt - 0.1,
      up: this.up,
      attempt: this.attempt,
      cause: this.cause,
      ended: this.endAt !== null && time >= this.endAt - 0.5,
    };
  }

  close() {
    this.trick?.stop();
    clearInterval(this.ticking);
    for (const timer of [this.asking, this.hiding]) clearTimeout(timer);
    this.listening.abort();
    this.line?.close();
    this.line = null;
    this.mount.close();
    this.lastEnd = 0;
    this.up = false;
    this.attempt = 0;
    this.suspended = false;
    this.pictures.clear();
    this.skew = new Skew();
    this.picture = null;
  }
}
