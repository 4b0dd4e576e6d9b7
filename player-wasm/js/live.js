// One live stream in the Worker: RTSP over WebSocket in, fragments out; it comes back by itself.

/** @import {Cause, Source} from './protocol.js' */
/** @import {Feed, Fragment} from './feed.js' */
import { Backoff } from './backoff.js';
import { Live } from './wasm/live.js';

/** Without a byte for this long the connection is taken for dead, milliseconds. */
const SILENT = 8000;
/** Without an answer for this long a connection attempt is given up, milliseconds. */
const CONNECT = 6000;
/** An answer that took longer than this was held back until there was something to say, milliseconds. */
const HELD = 2000;
/** Bytes of the present GOP that are kept while nothing is shown. */
const MOST_KEPT = 8 << 20;

/** `performance.now()` as the machines want it. */
const micros = () => Math.round(performance.now() * 1000);
const utc = () => Math.round((performance.timeOrigin + performance.now()) * 1000);

export class LiveStream {
  /**
   * @param {Source} source
   * @param {Feed} feed
   * @param {(message: any) => void} tell  events, without their id
   */
  constructor(source, feed, tell) {
    this.source = source;
    this.feed = feed;
    this.tell = tell;
    this.backoff = new Backoff();
    /** @type {Live | null} */
    this.machine = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.closed = false;
    this.suspended = false;
    /** The present GOP, while suspended. @type {Fragment[]} */
    this.kept = [];
    this.keptBytes = 0;
    /** @type {Cause | null} */
    this.cause = null;
    this.up = false;
    this.restarted = true;
    this.traffic = 0;
    this.began = 0;
    this.#connect();
  }

  #connect() {
    this.#drop();
    if (this.closed) return;
    const { base, tenant, camera } = this.source;
    const address = new URL('rtsp', base);
    const secure = address.protocol === 'https:';
    address.protocol = secure ? 'wss:' : 'ws:';
    const url = `rtsp://${address.host}/${encodeURIComponent(tenant)}/${encodeURIComponent(camera)}`;
    const socket = new WebSocket(address, ['rtsp.onvif.org']);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.began = performance.now();
    this.traffic = this.began;
    socket.onopen = () => {
      this.traffic = performance.now();
      this.machine = new Live(url, this.source.token, crypto.getRandomValues(new Uint8Array(32)), micros());
      this.#pump();
    };
    socket.onmessage = ({ data }) => {
      this.traffic = performance.now();
      const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
      this.machine?.receive(micros(), utc(), bytes);
      this.#pump();
    };
    socket.onclose = () => {
      this.machine?.close(micros());
      this.#pump();
      this.#lost(this.cause ?? { kind: this.up ? 'connection-lost' : 'centre-unreachable' });
    };
    this.#watch(socket);
  }

  /** The source has another token: it is shown at once. */
  renew() {
    this.machine?.authorize(this.source.token, micros());
    this.#pump();
  }

  /** Ends a connection that says nothing. @param {WebSocket} socket */
  #watch(socket) {
    clearInterval(this.watching);
    this.watching = setInterval(() => {
      const quiet = performance.now() - this.traffic;
      if (quiet > (this.machine ? SILENT : CONNECT)) {
        this.#lost({ kind: this.machine ? 'camera-silent' : 'centre-unreachable' });
      } else if (this.socket === socket && this.machine) {
        this.machine.timeout(micros(), utc());
        this.#pump();
      }
    }, 1000);
  }

  /** Takes all that the machine has to give. */
  #pump() {
    const { machine } = this;
    if (!machine || this.pumping) return;
    this.pumping = true;
    for (let kind = machine.pull(); kind !== undefined && machine === this.machine; kind = machine.pull()) {
      this.#output(kind, machine);
    }
    this.pumping = false;
    if (this.over) {
      const cause = this.over;
      this.over = null;
      this.#lost(cause);
      return;
    }
    this.#arm();
  }

  /** @param {string} kind @param {Live} machine */
  #output(kind, machine) {
    switch (kind) {
      case 'send':
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(/** @type {Uint8Array<ArrayBuffer>} */ (machine.bytes()));
        break;
      case 'init': {
        const bytes = buffer(machine.bytes());
        const format = JSON.parse(machine.text());
        if (this.suspended) this.kept = [];
        this.feed.init(format, bytes);
        break;
      }
      case 'fragment':
        this.#fragment({ bytes: buffer(machine.bytes()), text: JSON.parse(machine.text()) });
        break;
      case 'event':
        this.#event(JSON.parse(machine.text()));
        break;
      case 'close':
        /** @type {Cause | null} */
        this.over = JSON.parse(machine.text());
    }
  }

  /** @param {{kind: string}} event */
  #event(event) {
    if (event.kind === 'playing') {
      // A connection may come up again and again without ever giving a picture: `reset` waits for one.
      this.up = true;
      this.cause = null;
      this.tell({ type: 'connection', up: true, cause: null, attempt: this.backoff.attempt });
    }
  }

  /** @param {Fragment} fragment */
  #fragment(fragment) {
    this.backoff.reset();
    if (this.suspended) {
      this.#keep(fragment);
      return;
    }
    if (this.restarted) {
      this.feed.restart(null);
      this.restarted = false;
    }
    this.feed.fragment(fragment, performance.timeOrigin + performance.now());
  }

  /** @param {Fragment} fragment */
  #keep(fragment) {
    if (fragment.text.randomAccess) {
      this.kept = [];
      this.keptBytes = 0;
    } else if (this.kept.length === 0) {
      return;
    }
    this.kept.push(fragment);
    this.keptBytes += fragment.bytes.byteLength;
    if (this.keptBytes > MOST_KEPT) this.kept = [];
  }

  /** Nothing is fed while the picture is paused or hidden; the present GOP is kept, to come back at once. @param {boolean} on */
  suspend(on) {
    if (on === this.suspended) return;
    this.suspended = on;
    if (on) return;
    const kept = this.kept;
    this.kept = [];
    this.restarted = true;
    for (const fragment of kept) this.#fragment(fragment);
  }

  /** The media buffer was made anew: the stream starts again from its present GOP. */
  again() {
    this.restarted = true;
    this.#connect();
  }

  /** Sets the timer that the machine asks for. */
  #arm() {
    clearTimeout(this.waking);
    const at = this.machine?.wake();
    if (at === undefined) return;
    this.waking = setTimeout(() => {
      this.machine?.timeout(micros(), utc());
      this.#pump();
    }, Math.max(1, (at - micros()) / 1000));
  }

  /** @param {Cause} cause */
  #lost(cause) {
    if (this.closed) return;
    this.#drop();
    this.up = false;
    this.cause = null;
    this.restarted = true;
    // A centre that waits with us for the camera has done the waiting already.
    const waited = cause.kind === 'camera-gone' && performance.now() - this.began > HELD;
    const wait = waited ? this.backoff.first * Math.random() : this.backoff.next();
    // What needs an answer from people is not asked for four times a second.
    const patient = cause.kind === 'refused' || cause.kind === 'not-found' || cause.kind === 'codec';
    this.tell({ type: 'connection', up: false, cause, attempt: this.backoff.attempt });
    this.returning = setTimeout(() => this.#connect(), patient ? Math.max(wait, 10_000) : wait);
  }

  stats() {
    return this.machine ? JSON.parse(this.machine.stats()) : {};
  }

  #drop() {
    clearTimeout(this.returning);
    clearTimeout(this.waking);
    clearInterval(this.watching);
    if (this.socket) {
      this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
      this.socket.close();
    }
    this.socket = null;
    this.machine?.free();
    this.machine = null;
  }

  close() {
    this.closed = true;
    this.#drop();
  }
}

/** The bytes as a buffer that can be handed over. @param {Uint8Array} bytes @returns {ArrayBuffer} */
function buffer(bytes) {
  return /** @type {ArrayBuffer} */ (bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer);
}
