// The Worker: streams by number, each with its machine in WebAssembly, its transport and its place in a media buffer.
// A file of its own, so that a page under a strict Content-Security-Policy needs `wasm-unsafe-eval` on this file alone.

/** @import {FromWorker, Source, ToWorker} from './protocol.js' */
/** @import {ArchiveStream} from './archive.js' */
import { Feed } from './feed.js';
import { LiveStream } from './live.js';
import { MSE } from './sink.js';
import load, { Pace } from './wasm/live.js';

/** @typedef {{type: string, utc: number, back?: boolean, speed?: number}} Sought */

/**
 * @typedef {object} Entry
 * @property {Source} source
 * @property {Feed} feed
 * @property {Pace} pace
 * @property {LiveStream | null} live
 * @property {ArchiveStream | null} archive
 * @property {Sought | null} sought  What was asked for last, where it is not the present.
 * @property {boolean} suspended
 * @property {number} offset
 */

const scope = /** @type {WorkerScope} */ (/** @type {unknown} */ (self));
/** @type {Map<number, Entry>} */
const entries = new Map();

/** @param {FromWorker} message @param {Transferable[]} [transfer] */
const post = (message, transfer = []) => scope.postMessage(message, transfer);

/** @type {Promise<typeof import('./archive.js')> | null} */
let archive = null;

/** What plays recordings is loaded once somebody looks back. */
function lookingBack() {
  archive ??= import('./archive.js').then(async (module) => {
    await module.load();
    return module;
  });
  archive.catch(() => (archive = null));
  return archive;
}

/** @param {Extract<ToWorker, {type: 'open'}>} message */
function open({ id, source, at, page, latency, offset }) {
  close(id);
  const feed = new Feed(id, post, page);
  const pace = new Pace(latency);
  /** @type {Entry} */
  const entry = { source, feed, pace, live: null, archive: null, sought: null, suspended: false, offset };
  entries.set(id, entry);
  feed.onreport = (report) => sunk(entry, report);
  if (at === null) live(id, entry);
  else seek(id, entry, { type: 'seek', utc: at });
}

/** @param {number} id @param {Entry} entry */
function live(id, entry) {
  entry.sought = null;
  entry.feed.pace = entry.pace;
  entry.archive?.close();
  entry.archive = null;
  entry.live?.close();
  entry.live = new LiveStream(entry.source, entry.feed, (event) => post({ ...event, id }));
  entry.live.suspend(entry.suspended);
}

/** @param {number} id @param {Entry} entry @param {Sought} sought */
function seek(id, entry, sought) {
  entry.live?.close();
  entry.live = null;
  // What comes out of the recording says nothing of the live one's network.
  entry.feed.pace = null;
  entry.sought = sought;
  if (entry.archive) {
    entry.archive.go(sought);
    return;
  }
  lookingBack().then(
    ({ ArchiveStream }) => {
      if (entries.get(id) !== entry || entry.sought === null || entry.archive) return;
      try {
        entry.archive = new ArchiveStream(entry.source, entry.feed, (event) => post({ ...event, id }));
      } catch (error) {
        refuse(id, error);
        return;
      }
      entry.archive.clockOffset = entry.offset;
      entry.archive.go(entry.sought);
    },
    (/** @type {unknown} */ error) => {
      const text = error instanceof Error ? error.message : String(error);
      post({ type: 'connection', id, up: false, cause: { kind: 'worker', text }, attempt: 1 });
    },
  );
}

/**
 * What the page sees, and what is to be done about it.
 * @param {Extract<ToWorker, {type: 'playhead'}>} message @param {Entry} entry
 */
function look({ id, time, end, newest, pictures, flags }, { feed, pace }) {
  pace.look(performance.now(), time, end, newest, pictures, flags);
  const { generation } = feed;
  const [rate, seek, rung] = [pace.rate(), pace.seek() ?? null, pace.rung()];
  post({ type: 'pace', id, generation, rate, seek, rung, target: pace.target(), jumps: pace.jumps(), underruns: pace.underruns() });
}

/** @param {Entry} entry @param {import('./protocol.js').SinkReport} report */
function sunk(entry, report) {
  if (report.kind === 'quota') entry.archive?.less();
}

/** @param {number} id */
function close(id) {
  const entry = entries.get(id);
  entry?.live?.close();
  entry?.archive?.close();
  entry?.feed.close();
  entry?.pace.free();
  entries.delete(id);
}

/** @param {Exclude<ToWorker, {type: 'open'}>} message @param {Entry} entry */
function handle(message, entry) {
  switch (message.type) {
    case 'live':
      live(message.id, entry);
      break;
    case 'seek':
    case 'film':
      seek(message.id, entry, message);
      break;
    case 'back':
      entry.archive?.back(message.utc);
      break;
    case 'suspend':
      entry.suspended = message.on;
      entry.live?.suspend(message.on);
      break;
    case 'playhead':
      entry.feed.at(message.time);
      entry.archive?.at(message.rate);
      if (entry.live) look(message, entry);
      break;
    case 'rebuild':
      entry.feed.rebuild(message.page);
      entry.live?.again();
      if (entry.archive && message.utc !== null) entry.archive.seek(message.utc);
      break;
    case 'sink':
      if (message.generation === entry.feed.generation) sunk(entry, message.report);
      break;
    case 'token':
      entry.source.token = message.token;
      entry.live?.renew();
      break;
    case 'latency':
      entry.pace.profile(message.latency);
      break;
    case 'clock':
      entry.offset = message.offset;
      if (entry.archive) entry.archive.clockOffset = message.offset;
      break;
    case 'ask':
      post({ type: 'stats', id: message.id, stats: entry.live?.stats() ?? {} });
      break;
    case 'close':
      close(message.id);
  }
}

// Messages wait until the module is there: `onmessage` is set at once, for none may be lost.
const ready = load().then(
  () => post({ type: 'ready', mse: MSE?.canConstructInDedicatedWorker === true }),
  (/** @type {unknown} */ error) => {
    const blocked = error instanceof WebAssembly.CompileError;
    post({ type: 'failed', cause: { kind: blocked ? 'wasm-blocked' : 'worker', text: error instanceof Error ? error.message : String(error) } });
    throw error;
  },
);

scope.onmessage = async (/** @type {{data: unknown}} */ { data }) => {
  const message = /** @type {ToWorker} */ (data);
  await ready.catch(() => {});
  const entry = entries.get(message.id);
  try {
    if (message.type === 'open') open(message);
    else if (entry) handle(message, entry);
  } catch (error) {
    refuse(message.id, error);
  }
};

/** What a machine refuses at once: a name that no store has, an address that is none. @param {number} id @param {unknown} error */
function refuse(id, error) {
  if (error instanceof WebAssembly.RuntimeError) throw error;
  const text = error instanceof Error ? error.message : String(error);
  post({ type: 'connection', id, up: false, cause: { kind: 'not-found', text }, attempt: 1 });
  close(id);
}

// A machine that broke its own promise takes the others of its module along: the page starts a new Worker.
const crashed = (/** @type {unknown} */ error) => {
  if (error instanceof WebAssembly.RuntimeError) post({ type: 'crashed', text: error.message });
};
scope.addEventListener('error', (event) => crashed(event.error));
scope.addEventListener('unhandledrejection', (event) => crashed(event.reason));
