// <vigie-player>: one camera, live or from its recording.

/** @import {Picture} from './protocol.js' */
/** @import {State} from './judge.js' */
/** @import {Latency} from './screen.js' */
import { element, theme, upgrade } from './dom.js';
import { Face, styles } from './face.js';
import { judge } from './judge.js';
import { Screen } from './screen.js';
import { explain, textOf } from './text.js';
import { micros } from './time.js';

/** One picture stays on the screen at least this long before the tile's words change for it, milliseconds. */
const RENDER = 90;
/** `timeupdate` comes this often, milliseconds: as browsers do it. */
const UPDATE = 250;
/** What `HTMLMediaElement` calls a change of state. @type {Partial<Record<State, string>>} */
const TOLD = {
  ...{ live: 'playing', late: 'playing', damaged: 'playing', 'out-of-clock': 'playing', recorded: 'playing' },
  ...{ loading: 'waiting', stale: 'stalled', 'no-signal': 'stalled', end: 'ended', 'no-right': 'error', 'cannot-play': 'error' },
};
/** A jump to another moment leaves the picture before it on the screen for so long, dimmed, milliseconds. */
const BRIEF = 1200;
/** Files that did not load are asked for again after so long, milliseconds. */
const LOAD_AGAIN = 10_000;

/**
 * Plays one camera. Attributes: `src` (the centre's address; the page's own by default), `tenant`, `camera`, `label`,
 * `number`, `at` (RFC 3339: play the recording from there; absent: live), `clock` (`local` or `utc`), `latency`
 * (`low`, `balanced` or `smooth`), `zoomable` (wheel, pinch, drag and keys show a part of the picture, larger), `watermark`
 * (a text over the picture, who is looking: not seen without it). The token is a property: an attribute would show in the page's source.
 *
 * Names, properties and events are those of `HTMLMediaElement` where it has them (`currentTime` is UTC). Its events, and
 * none of these bubble: `vigie-state` when {@link state} changes, `vigie-picture` when another picture is on the
 * screen (its `detail` is the picture), `vigie-gap` when the playhead passes over a gap (`detail`: the gap), `vigie-zoom` (`detail`: {@link zoom}).
 */
export class VigiePlayer extends HTMLElement {
  static observedAttributes = ['src', 'tenant', 'camera', 'at', 'label', 'number', 'clock', 'latency', 'zoomable', 'watermark'];

  #token = '';
  #state = /** @type {State} */ ('idle');
  #video = element('video', { playsinline: '', part: 'video', tabindex: '-1' });
  #face = new Face(this.#video);
  /** @type {Screen | null} */
  #screen = null;
  #rendered = 0;
  #clockOffset = 0;
  #seeking = false;
  /** What `seek` was given. */
  #sought = NaN;
  #updated = 0;
  /** @type {import('./view.js').View} */
  #zoom = { scale: 1, x: 0.5, y: 0.5 };
  /** @type {Promise<import('./extras.js').Extras> | null} */
  #extras = null;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [theme, styles];
    root.append(this.#face.tile);
    this.#video.muted = true;
    this.#video.disablePictureInPicture = true;
    this.#video.disableRemotePlayback = true;
    for (const type of ['loadedmetadata', 'resize']) this.#video.addEventListener(type, () => this.#tell(type));
  }

  connectedCallback() {
    upgrade(this, ['token', 'clockOffset', 'currentTime', 'watermark', 'zoom']);
    this.#open();
    this.#extra();
  }

  disconnectedCallback() {
    // Moved within the page it comes back in the same turn: then nothing is to be undone.
    queueMicrotask(() => {
      if (!this.isConnected) this.#close();
    });
  }

  /** @param {string} name @param {string | null} before @param {string | null} after */
  attributeChangedCallback(name, before, after) {
    if (before === after || !this.isConnected) return;
    if (name === 'at' && this.#screen) {
      const at = this.#at();
      if (at === null) this.#screen.goLive();
      else this.#screen.seek(at);
    } else if (name === 'latency') {
      this.#screen?.profile(this.#latency());
    } else if (['src', 'tenant', 'camera'].includes(name)) {
      this.#close();
      this.#open();
    }
    this.#extra();
    this.#render(true);
  }

  /** What only some tiles have is loaded where one has it. */
  #extra() {
    if (!this.#extras && this.#zoom.scale === 1 && !this.matches('[zoomable], [watermark]')) return;
    this.#extras ??= import('./extras.js').then(({ Extras }) => new Extras(this, this.#face.picture));
    this.#extras.then(
      (extras) => extras.update(),
      () => {
        this.#extras = null;
        setTimeout(() => this.#extra(), LOAD_AGAIN);
      },
    );
  }

  /** Shown to the centre with every request; another one at once. */
  get token() {
    return this.#token;
  }

  set token(token) {
    if (token === this.#token) return;
    this.#token = token;
    this.#screen?.renew(token);
  }

  /** Who is looking: written over the picture and into captures. */
  get watermark() {
    return this.getAttribute('watermark') ?? '';
  }

  set watermark(text) {
    this.setAttribute('watermark', text);
  }

  /** The part of the picture that shows. */
  get zoom() {
    return this.#zoom;
  }

  set zoom(view) {
    this.#zoom = view;
    this.#extra();
  }

  /** Milliseconds that the centre's clock is ahead of this page's. */
  get clockOffset() {
    return this.#clockOffset;
  }

  set clockOffset(ms) {
    this.#clockOffset = ms;
    this.#screen?.clock(ms);
  }

  /** What the tile says of itself. */
  get state() {
    return this.#state;
  }

  /** Why it does not play, where it does not. */
  get cause() {
    return this.#screen?.cause ?? null;
  }

  /** The picture on the screen: when it was taken, and how well that is known. @returns {Picture | null} */
  get picture() {
    return this.#screen?.picture ?? null;
  }

  /** Milliseconds from the live picture on the screen to now. */
  get delay() {
    return this.#screen?.delay ?? null;
  }

  /** What the stream carries, once known. */
  get format() {
    return this.#screen?.format ?? null;
  }

  /** Is it the present that plays (or should)? */
  get isLive() {
    return this.#screen?.live ?? true;
  }

  get paused() {
    return this.#screen?.paused ?? false;
  }

  /** The `<video>` element, to read pixels from. Rate and playhead are the player's own to write. */
  get video() {
    return this.#video;
  }

  /** Of the recording, 1/8 to 32, backwards where negative; of key pictures alone where a browser keeps up with no more. */
  get playbackRate() {
    return this.#screen?.speed ?? 1;
  }

  set playbackRate(rate) {
    const screen = this.#screen;
    const speed = Math.sign(rate || 1) * Math.min(32, Math.max(0.125, Math.abs(rate)));
    if (Number.isNaN(speed)) throw new TypeError('playbackRate');
    if (!screen || this.isLive) return;
    const before = screen.speed;
    screen.speed = speed;
    screen.tricks().then(
      (trick) => trick.speed(),
      () => (screen.speed = before),
    );
  }

  /** The moment on the screen, or to go to: seconds since 1970, UTC; NaN before the first picture. */
  get currentTime() {
    return (this.picture?.utc ?? NaN) / 1e6;
  }

  set currentTime(seconds) {
    this.seek(micros(seconds));
  }

  get videoWidth() {
    return this.#video.videoWidth;
  }

  get videoHeight() {
    return this.#video.videoHeight;
  }

  /** As of `HTMLMediaElement`. */
  get readyState() {
    return this.#video.readyState;
  }

  get seeking() {
    return this.#seeking;
  }

  get ended() {
    return this.#state === 'end';
  }

  /** Why it cannot play, with the codes of `MediaError`; null where it can. */
  get error() {
    const { cause } = this;
    if (this.#state !== 'cannot-play' && this.#state !== 'no-right') return null;
    const code = { unsupported: 4, codec: 4, decoder: 3, memory: 3 }[/** @type {string} */ (cause?.kind)] ?? 2;
    return { code, message: explain(cause, this.#text)?.what ?? '' };
  }

  /** When the picture on the screen was taken (microseconds since 1970, UTC), who says so, and how far it may be off. */
  getWallClock() {
    const { picture } = this;
    return picture && { utc: picture.utc, source: picture.source, plusMinusMs: picture.error / 1000 };
  }

  /** Plays what the camera sends now. */
  live() {
    if (this.hasAttribute('at')) this.removeAttribute('at');
    else this.#screen?.goLive();
    this.#screen?.resume();
  }

  /** Plays the recording from a moment on. @param {number} utc microseconds since 1970, UTC */
  seek(utc) {
    // First, for it throws where that is no moment.
    const text = new Date(utc / 1000).toISOString();
    this.#seeking = true;
    this.#tell('seeking');
    this.#sought = utc;
    if (this.getAttribute('at') === text) this.#screen?.seek(utc);
    else this.setAttribute('at', text);
  }

  pause() {
    if (this.paused) return;
    this.#screen?.pause();
    this.#tell('pause');
  }

  async play() {
    if (this.paused) this.#tell('play');
    this.#screen?.resume();
  }

  /** So many pictures on, or back; pauses. True once that one is on the screen, false where there is none. @param {number} n */
  async step(n) {
    this.pause();
    return (await this.#screen?.tricks().catch(() => null))?.step(n) ?? false;
  }

  /** Plays again what was just live. @param {number} [seconds] */
  replay(seconds = 30) {
    this.seek(Math.round((Date.now() + this.#clockOffset - seconds * 1000) * 1000));
  }

  /**
   * The picture on the screen as a file, and what is known of it; null where none is.
   * @param {{type?: string, quality?: number}} [options]  As of `HTMLCanvasElement.toBlob`; PNG by default.
   */
  async captureFrame(options = {}) {
    return (await import('./capture.js')).capture(this, options);
  }

  /** Counts and times, for a page that shows or checks them. */
  getStats() {
    const screen = this.#screen;
    if (!screen) return null;
    const { count, delay, format, interval, lastEnd, machine, pace, page, pictures, speed, video } = screen;
    return {
      ...count,
      ...pace,
      rate: video.playbackRate,
      ...{ delay, interval, speed, format, ahead: lastEnd - video.currentTime, tabled: pictures.list.length },
      ...{ mediaSource: page ? 'page' : 'worker', machine },
    };
  }

  /** Asks the Worker for the counts of its machine; they are in {@link getStats} a moment later. */
  refreshStats() {
    this.#screen?.line?.send({ type: 'ask' });
  }

  /** @param {string} type */
  #tell(type) {
    this.dispatchEvent(new Event(type));
  }

  #at() {
    const at = Date.parse(this.getAttribute('at') ?? '');
    if (Number.isNaN(at)) return null;
    // The attribute has milliseconds, and a picture is found by its microseconds.
    return Math.trunc(this.#sought / 1000) === at ? this.#sought : at * 1000;
  }

  #latency() {
    return /** @type {Latency} */ (this.getAttribute('latency') ?? 'balanced');
  }

  #open() {
    const [tenant, camera] = [this.getAttribute('tenant'), this.getAttribute('camera')];
    if (this.#screen || !this.isConnected || !tenant || !camera) {
      this.#render(true);
      return;
    }
    const watcher = {
      picture: (/** @type {Picture} */ picture) => this.#pictured(picture),
      tick: () => this.#render(true),
      tell: (/** @type {string} */ type) => this.#tell(type),
      gap: (/** @type {import('./protocol.js').Gap} */ gap) => {
        this.#face.gap(gap, this.#clock(), this.#text);
        this.dispatchEvent(new CustomEvent('vigie-gap', { detail: gap }));
      },
    };
    const base = new URL(this.getAttribute('src') ?? '/', document.baseURI).href;
    this.#screen = new Screen({ base, tenant, camera, token: this.#token }, this.#video, watcher, this.#latency());
    this.#screen.clock(this.#clockOffset);
    void this.#screen.open(this.#at());
  }

  #close() {
    this.#screen?.close();
    this.#screen = null;
    this.#render(true);
  }

  #worded = () => this.#render(true);

  get #text() {
    return textOf(this, this.#worded);
  }

  /** @returns {import('./time.js').Clock} */
  #clock() {
    return this.getAttribute('clock') === 'utc' ? 'utc' : 'local';
  }

  /** @param {Picture} picture */
  #pictured(picture) {
    this.#render(false);
    this.dispatchEvent(new CustomEvent('vigie-picture', { detail: picture }));
    if (this.#seeking) {
      this.#seeking = false;
      this.#tell('seeked');
    }
    const now = performance.now();
    if (now - this.#updated < UPDATE) return;
    this.#updated = now;
    this.#tell('timeupdate');
  }

  /** @param {boolean} all  Everything, or the time alone, which changes with every picture? */
  #render(all) {
    const screen = this.#screen;
    const clock = this.#clock();
    if (!all && this.#state !== 'loading' && performance.now() - this.#rendered < RENDER && screen) {
      this.#face.showTime({ picture: screen.picture, clock, state: this.#state, text: this.#text });
      return;
    }
    this.#rendered = performance.now();
    const evidence = screen?.evidence;
    const { state, cause } = evidence ? judge(evidence) : { state: /** @type {State} */ ('idle'), cause: null };
    const brief = state === 'loading' && evidence?.old === true && evidence.now - evidence.opened < BRIEF;
    this.#face.render({
      brief,
      text: this.#text,
      ...{ state, cause, clock, picture: screen?.picture ?? null, delay: screen?.delay ?? null },
      ...{ skew: screen?.skew.value ?? null, format: screen?.format ?? null, speed: screen?.speed ?? 1, mode: screen?.trick?.mode },
      number: this.getAttribute('number') ?? '',
      label: this.getAttribute('label') ?? this.getAttribute('camera') ?? '',
    });
    if (state === this.#state) return;
    const told = TOLD[state];
    if (told && told !== TOLD[this.#state]) queueMicrotask(() => this.#tell(told));
    this.#state = state;
    this.setAttribute('state', state);
    this.dispatchEvent(new CustomEvent('vigie-state', { detail: { state, cause } }));
  }
}
