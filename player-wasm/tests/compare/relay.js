// What the others are fed by: ffmpeg at each camera, copied and not coded anew; WebSockets and HTTP to the page.
//
//   node relay.js '{"kind":"mse","cameras":{"cam1":"rtsp://…"},"files":{"/lib.js":"…"}}'     prints {"base":"http://…"}
//
// A viewer gets the present group of pictures at once, as the centre gives it. It ends when its standard input does.

import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { WebSocketServer } from 'ws';
import { annexB, fragments, packets, taken } from './cut.js';
import { Parts } from './parts.js';

const { kind, cameras, files } = JSON.parse(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'vigie-compare-'));
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript; charset=utf-8', '.m3u8': 'application/vnd.apple.mpegurl', '.m4s': 'video/mp4', '.mp4': 'video/mp4' };
const SHARE = ['-hide_banner', '-loglevel', 'error', '-rtsp_transport', 'tcp', '-fflags', 'nobuffer', '-flags', 'low_delay', '-probesize', '32', '-analyzeduration', '0'];
const MP4 = ['-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof'];
/** How ffmpeg writes, and what cuts that. */
const WAYS = {
  mse: [MP4, fragments],
  mpegts: [['-f', 'mpegts', '-mpegts_flags', 'pat_pmt_at_frames', '-muxdelay', '0', '-muxpreload', '0'], packets],
  jmuxer: [['-f', 'flv', '-flvflags', 'no_duration_filesize'], annexB],
  hls: [['-f', 'hls', '-hls_time', '1', '-hls_list_size', '6', '-hls_flags', 'delete_segments+independent_segments', '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4', '-hls_segment_filename'], null],
  llhls: [MP4, fragments],
};
/** Bytes that may wait for one viewer: it reads, or it is gone. */
const WAITING = 16 << 20;

/** Milliseconds from a camera's taking a picture to our sending it, of the first camera. @type {number[]} */
const delays = [];
/** @type {Map<string, Stream>} */
const streams = new Map();

/** One camera: what came since its last key picture, and who looks. */
class Stream {
  constructor(name, url) {
    this.name = name;
    /** @type {Buffer | null} */
    this.head = null;
    /** @type {Buffer[]} */
    this.group = [];
    /** @type {Set<import('ws').WebSocket>} */
    this.viewers = new Set();
    this.parts = kind === 'llhls' ? new Parts() : null;
    const [format, cut] = WAYS[kind];
    const place = join(folder, name);
    mkdirSync(place);
    const to = cut ? ['-flush_packets', '1', 'pipe:1'] : [join(place, 's%d.m4s'), join(place, 'live.m3u8')];
    this.child = spawn('ffmpeg', [...SHARE, '-i', url, '-an', '-c', 'copy', ...format, ...to], { stdio: ['ignore', 'pipe', 'inherit'], cwd: place });
    const cutting = cut?.();
    this.child.stdout.on('data', (chunk) => cutting?.(chunk).forEach((piece) => this.#take(piece)));
  }

  /** @param {import('./cut.js').Piece} piece */
  #take({ head, key, bytes }) {
    if (head) this.head = bytes;
    else {
      if (key) this.group = [];
      if (key || this.group.length) this.group.push(bytes);
    }
    this.parts?.take({ head, key, bytes });
    const utc = this.name === first ? taken(bytes) : null;
    if (utc !== null && delays.push(Date.now() - utc) > 1000) delays.shift();
    for (const viewer of this.viewers) {
      if (viewer.bufferedAmount > WAITING) viewer.terminate();
      else viewer.send(bytes);
    }
  }

  /** @param {import('ws').WebSocket} viewer */
  join(viewer) {
    // In one message: who wants to begin at its end knows when it has all.
    viewer.send(Buffer.concat([...(this.head ? [this.head] : []), ...this.group]));
    this.viewers.add(viewer);
    viewer.on('close', () => this.viewers.delete(viewer));
  }

  get ready() {
    return this.parts ? this.parts.ready : kind === 'hls' ? existsSync(join(folder, this.name, 's1.m4s')) : this.group.length > 0;
  }
}

const [first] = Object.keys(cameras);
for (const [name, url] of Object.entries(cameras)) streams.set(name, new Stream(name, url));

/** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
async function answer(request, response) {
  const url = new URL(request.url ?? '/', 'http://relay');
  const json = (value) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  if (url.pathname === '/ready') return json([...streams.values()].every(({ ready }) => ready));
  if (url.pathname === '/delays') return json(delays.splice(0));
  // Each camera's low-latency playlist is of another origin, for the sake of its connections.
  const headers = { 'Cache-Control': 'no-store', 'Access-Control-Allow-Origin': '*' };
  const [, name, file] = /^\/live\/(cam\d+)\/([\w.]+)$/.exec(url.pathname) ?? [];
  const parts = streams.get(name)?.parts;
  if (parts) {
    const found = await parts.answer(file, url.searchParams);
    if (!found) return response.writeHead(404, headers).end();
    return response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(file)] }).end(found);
  }
  const path = name ? join(folder, name, file) : files[url.pathname];
  if (!path || !existsSync(path)) return response.writeHead(404, headers).end();
  return createReadStream(path).on('error', () => response.destroy()).pipe(response.writeHead(200, { ...headers, 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' }));
}

/** @returns {Promise<string>} */
async function listen() {
  const server = http.createServer((request, response) => void answer(request, response));
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (viewer, request) => streams.get((request.url ?? '').slice('/ws/'.length))?.join(viewer));
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(null)));
  return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
}

// Browsers open six connections to an origin over HTTP/1.1, and a low-latency playlist holds one all the time: HTTP/2 in service,
// an origin for each camera here.
const origins = {};
if (kind === 'llhls') for (const name of streams.keys()) origins[name] = await listen();
console.log(JSON.stringify({ base: await listen(), origins }));

// Ctrl-C is for the test that started this, which then ends the standard input.
process.on('SIGINT', () => {});
process.stdin.on('end', () => {
  for (const { child } of streams.values()) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
process.stdin.resume();
