// The Workers of a page: few, each with several streams.

/** @import {Cause, FromWorker, ToWorker} from './protocol.js' */

/** @typedef {(message: FromWorker) => void} Listener */

/** Streams per Worker before another one is started. */
const FULL = 4;

class Lane {
  constructor() {
    /** @type {Map<number, Listener>} */
    this.listeners = new Map();
    /** @type {Cause | null} */
    this.broken = null;
    this.mse = false;
    this.loaded = false;
    this.gone = false;
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'vigie' });
    /** @type {Promise<void>} */
    this.ready = new Promise((resolve) => {
      this.worker.onmessage = ({ data }) => {
        const message = /** @type {FromWorker} */ (data);
        if (message.type === 'ready') this.mse = message.mse;
        if (message.type === 'failed') this.broken = message.cause;
        if (message.type === 'crashed') this.#crashed(message);
        else if (message.type === 'ready' || message.type === 'failed') resolve();
        else this.listeners.get(message.id)?.(message);
      };
      this.worker.onerror = (event) => {
        // A script that does not load says nothing more than that.
        if (!this.loaded) this.broken ??= { kind: 'worker', text: event.message ?? '' };
        resolve();
      };
    });
    void this.ready.then(() => (this.loaded = true));
  }

  /** No stream of this Worker goes on: each is told, and opens anew in another. @param {FromWorker} message */
  #crashed(message) {
    if (this.gone) return;
    this.gone = true;
    this.worker.terminate();
    lanes.splice(lanes.indexOf(this), 1);
    for (const listener of [...this.listeners.values()]) listener(message);
  }
}

/** @type {Lane[]} */
const lanes = [];
let lastId = 0;

/** One stream's line to its Worker. */
export class Line {
  /** @param {Listener} listener */
  constructor(listener) {
    this.id = ++lastId;
    const most = Math.max(1, Math.min(4, (navigator.hardwareConcurrency || 2) - 1));
    for (const broken of lanes.filter((l) => l.broken && l.listeners.size === 0)) lanes.splice(lanes.indexOf(broken), 1);
    let lane = lanes.filter((l) => !l.broken).sort((a, b) => a.listeners.size - b.listeners.size)[0];
    if (!lane || (lane.listeners.size >= FULL && lanes.length < most)) {
      lane = new Lane();
      lanes.push(lane);
    }
    this.lane = lane;
    lane.listeners.set(this.id, listener);
  }

  /** Resolves once the Worker runs or is known not to. */
  get ready() {
    return this.lane.ready;
  }

  /** @param {ToWorker extends infer M ? M extends {id: number} ? Omit<M, 'id'> : never : never} message */
  send(message) {
    this.lane.worker.postMessage({ ...message, id: this.id });
  }

  close() {
    this.lane.worker.postMessage({ type: 'close', id: this.id });
    this.lane.listeners.delete(this.id);
  }
}
