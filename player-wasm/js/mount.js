// The media source on a video element, wherever it lives: attached, watched, made anew.

/** @import {Cause, SinkReport} from './protocol.js' */
import { MSE, Sink } from './sink.js';

/** A media source that does not open within this time in the Worker lives on the page from then on, milliseconds. */
const OPEN = 5000;
/** Failures in a row after which the decoder is given up on, for the time being. */
const PATIENCE = 4;

/** `MediaSource` in the Worker opened for none: known for the whole page. */
let pageOnly = false;

/**
 * @typedef {object} Host
 * @property {(generation: number, report: SinkReport) => void} reported  To be passed on to the Worker.
 * @property {() => void} rebuild          A new media source is wanted.
 * @property {(cause: Cause) => void} failed  It will not play by itself.
 * @property {() => void} refused          Memory ran short.
 */

export class Mount {
  /** @param {HTMLVideoElement} video @param {Host} host */
  constructor(video, host) {
    this.video = video;
    this.host = host;
    /** Counts the media sources; 0: none is attached. */
    this.generation = 0;
    /** @type {Sink | null} */
    this.sink = null;
    this.open = false;
    this.strikes = 0;
    this.lastStrike = 0;
    /** The video element outlives what is mounted on it. */
    this.listening = new AbortController();
  }

  /** Does the media source live on the page? @param {boolean} inWorker  Has the Worker a MediaSource? */
  page(inWorker) {
    return pageOnly || !inWorker;
  }

  /** @param {number} generation @param {object | null} handle  Of a media source in the Worker. */
  attach(generation, handle) {
    this.#drop();
    this.generation = generation;
    const { video } = this;
    const { signal } = (this.listening = new AbortController());
    document.addEventListener('securitypolicyviolation', (event) => this.#violation(event), { signal });
    const broke = () => {
      const { error } = video;
      if (error && this.generation) this.strike(error.message || `media error ${error.code}`);
    };
    video.addEventListener('error', broke, { signal });
    if (handle) {
      video.srcObject = /** @type {MediaProvider} */ (handle);
      this.opening = setTimeout(() => {
        if (document.hidden) return;
        // It never opened: the Worker is no place for it in this browser.
        pageOnly = true;
        this.host.rebuild();
      }, OPEN);
      return;
    }
    if (!MSE) {
      this.host.failed({ kind: 'unsupported' });
      return;
    }
    const sink = new Sink((report) => {
      this.host.reported(generation, report);
      if (generation === this.generation) this.report(report);
    });
    this.sink = sink;
    const address = URL.createObjectURL(sink.source);
    // One that never opens is given back too.
    for (const [end, type] of /** @type {const} */ ([[sink.source, 'sourceopen'], [signal, 'abort']])) {
      end.addEventListener(type, () => URL.revokeObjectURL(address), { once: true });
    }
    video.src = address;
  }

  /** From the media source, here or in the Worker. @param {SinkReport} report */
  report(report) {
    switch (report.kind) {
      case 'open':
        this.open = true;
        clearTimeout(this.opening);
        break;
      case 'quota':
        this.host.refused();
        break;
      case 'unsupported':
        clearTimeout(this.opening);
        this.host.failed({ kind: 'unsupported' });
        break;
      case 'failed':
        this.strike(report.text);
    }
  }

  /** It failed: another one, after a while that grows. @param {string} text */
  strike(text) {
    this.lastStrike = performance.now();
    this.strikes += 1;
    if (this.strikes > PATIENCE) this.host.failed({ kind: 'decoder', text });
    clearTimeout(this.rebuilding);
    this.rebuilding = setTimeout(() => this.host.rebuild(), Math.min(5000, 150 * 2 ** this.strikes));
  }

  /** Pictures come and none shows: a step of the recovery, from 2 on. @param {number} rung */
  climb(rung) {
    if (rung === 3) pageOnly = true;
    if (rung === 4) this.host.failed({ kind: 'decoder' });
    this.host.rebuild();
  }

  /** All is well. */
  calm() {
    if (performance.now() - this.lastStrike > 10_000) this.strikes = 0;
  }

  /** @param {SecurityPolicyViolationEvent} event */
  #violation(event) {
    // Firefox plays a MediaSource without it; Chromium wants it even for one that lives in a Worker.
    if (this.open || event.effectiveDirective !== 'media-src' || !event.blockedURI.startsWith('blob')) return;
    clearTimeout(this.rebuilding);
    clearTimeout(this.opening);
    this.generation = 0;
    this.host.failed({ kind: 'media-blocked' });
  }

  #drop() {
    clearTimeout(this.opening);
    clearTimeout(this.rebuilding);
    this.listening.abort();
    this.sink?.close();
    this.sink = null;
    this.open = false;
    this.generation = 0;
  }

  close() {
    this.#drop();
    this.video.removeAttribute('src');
    this.video.srcObject = null;
    this.video.load();
  }
}
