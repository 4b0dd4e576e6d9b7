// A portal's back end, as small as it can be: its pages, a short-lived token for who has a session, and the centre behind its own
// origin.
//
//   vigie-centre demo --token-file token        in another terminal
//   node server.mjs --centre http://127.0.0.1:8080 --token-file token [--port 8090]
//
// Two origins, as portals have them: PORT is the front of the centre (pages of its own beside it), PORT + 1 a portal that knows
// no centre and shows the front's page in an iframe. In service this is nginx or what you have: README.md.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { parseArgs } from 'node:util';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' };
/** What the centre answers itself. */
const CENTRE = /^\/(player|rtsp|archive|api)(\/|$)/;
/** Files that go out: pages, and nothing that lies beside them. */
const PAGES = /^\/(?:(?:plain|react|vue|iframe)\/)?[a-z]+\.(?:html|js|css)$/;
/** What who is signed in may see. In your portal that depends on who it is. */
const CAMERAS = ['annoeullin/mairie', 'annoeullin/place'];
/** Seconds that a token is good for. */
const SECONDS = 300;
/** The centre is waited for so long, milliseconds. */
const PATIENCE = 5000;

/**
 * Starts both origins.
 * @param {object} options
 * @param {string} options.centre  Its origin.
 * @param {() => Promise<string>} options.token  The centre's own: it stays here.
 * @param {(session: string) => string[]} [options.cameras]  What may be seen, `tenant/camera`.
 * @param {number} [options.seconds]  That a token is good for.
 * @param {number} [options.port]  0: any two that are free.
 * @param {Map<string, string>} [options.bundles]  What a bundler made, by path: `/react/main.js`.
 */
export async function serve({ centre, token, cameras = () => CAMERAS, seconds = SECONDS, port = 0, bundles = new Map() }) {
  /** Who is signed in: here everybody who opened a page. In your portal this is its session. @type {Set<string>} */
  const sessions = new Set();
  const origins = { front: '', portal: '' };

  /** @param {http.IncomingMessage} request */
  const session = (request) => /(?:^|; )portal=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response @param {string} path @param {string} ancestors */
  async function page(request, response, path, ancestors) {
    const text = bundles.get(path) ?? (PAGES.test(path) ? await readFile(join(import.meta.dirname, path), 'utf8').catch(() => null) : null);
    if (text === null) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such page\n');
      return;
    }
    const headers = {
      'Content-Type': TYPES[extname(path)],
      // Chromium plays live video by a blob: address; nothing else is more than the page's own files.
      'Content-Security-Policy': `default-src 'self'; media-src 'self' blob:; frame-src ${origins.front}; frame-ancestors ${ancestors}; base-uri 'none'; object-src 'none'`,
      'Cache-Control': 'no-store',
      // As the centre has it for its own: else a wall's second window would not know who opened it.
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    };
    if (path.endsWith('.html') && !sessions.has(session(request))) {
      const id = randomBytes(16).toString('hex');
      sessions.add(id);
      headers['Set-Cookie'] = `portal=${id}; HttpOnly; SameSite=Strict; Path=/`;
    }
    response.writeHead(200, headers);
    response.end(text.replaceAll('https://video.example.fr', origins.front).replaceAll('https://portal.example.fr', origins.portal));
  }

  /** The token of each session, and the centre's that it was got with. @type {Map<string, {own: string, issued: Promise<{token: string, until: number}>}>} */
  const tokens = new Map();

  /** From the centre's issuer. @param {string} own @param {string} id */
  async function issued(own, id) {
    const until = Date.now() + seconds * 1000;
    const answer = await fetch(new URL('/api/tokens', centre), {
      method: 'POST',
      headers: { Authorization: `Bearer ${own}` },
      body: JSON.stringify({ cameras: cameras(id), seconds }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) throw new Error(`the issuer: HTTP ${answer.status}`);
    return { token: (await answer.json()).token, until };
  }

  /** The session's, while half of its time is left: however often a page asks, the centre keeps few. @param {string} id */
  async function tokenOf(id) {
    const own = await token();
    const kept = tokens.get(id);
    const last = kept?.own === own ? await kept.issued.catch(() => null) : null;
    if (last && last.until - Date.now() > seconds * 500) return last;
    const next = { own, issued: issued(own, id) };
    tokens.set(id, next);
    return next.issued;
  }

  /** A token for the session that asks: from this origin's own page, by POST, and into no cache. @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  async function issue(request, response) {
    const own = request.headers.origin === `http://${request.headers.host}`;
    if (request.method !== 'POST' || !own || !sessions.has(session(request))) {
      response.writeHead(403, { 'Content-Type': 'text/plain' }).end('not signed in\n');
      return;
    }
    const now = await tokenOf(session(request)).catch(() => null);
    if (now === null) {
      response.writeHead(503, { 'Content-Type': 'text/plain' }).end('the centre gives no token now\n');
      return;
    }
    const body = JSON.stringify({ token: now.token, expires_in: Math.floor((now.until - Date.now()) / 1000) });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(body);
  }

  /** Headers as the centre wants them: its own name. A page of another origin is not made one of ours by that. @param {http.IncomingMessage} request */
  function onward(request) {
    const { origin } = request.headers;
    if (origin !== undefined && origin !== origins.front) return null;
    const headers = { ...request.headers, host: new URL(centre).host };
    delete headers.cookie;
    if (origin) headers.origin = centre;
    return headers;
  }

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  function pass(request, response) {
    const headers = onward(request);
    if (!headers) {
      response.writeHead(403).end();
      return;
    }
    const asked = http.request(new URL(request.url ?? '/', centre), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      // Given up by the page, as each seek does with what it still waits for, it is given up with the centre too.
      pipeline(answer, response, () => {});
    });
    asked.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end('the centre does not answer\n')));
    request.pipe(asked);
  }

  /** The WebSocket: bytes both ways. @param {http.IncomingMessage} request @param {net.Socket} socket @param {Buffer} head */
  function tunnel(request, socket, head) {
    const headers = CENTRE.test(request.url ?? '') ? onward(request) : null;
    if (!headers) {
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const { hostname, port: at } = new URL(centre);
    const far = net.connect(Number(at || 80), hostname, () => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      far.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      far.write(head);
      far.pipe(socket).pipe(far);
    });
    for (const [end, other] of [[far, socket], [socket, far]]) end.on('error', () => other.destroy()).on('close', () => other.destroy());
  }

  /** No URL is parsed: `//` is none, and a page's name is matched whole. @param {http.IncomingMessage} request */
  const path = (request) => (request.url ?? '/').replace(/[?#].*/s, '').replace(/\/$/, '/index.html');
  const front = http.createServer((request, response) => {
    if (CENTRE.test(request.url ?? '')) pass(request, response);
    else if (request.url === '/token') void issue(request, response);
    else void page(request, response, path(request), path(request).startsWith('/iframe/') ? origins.portal : "'none'");
  });
  front.on('upgrade', tunnel);
  const portal = http.createServer((request, response) => {
    if (request.url === '/token') void issue(request, response);
    else void page(request, response, path(request), "'none'");
  });
  for (const [server, name, at] of /** @type {const} */ ([[front, 'front', port], [portal, 'portal', port && port + 1]])) {
    await new Promise((done, fail) => server.once('error', fail).listen(at, '127.0.0.1', () => done(undefined)));
    origins[name] = `http://127.0.0.1:${/** @type {net.AddressInfo} */ (server.address()).port}`;
  }
  return {
    ...origins,
    async stop() {
      for (const server of [front, portal]) {
        const closed = new Promise((done) => server.close(done));
        server.closeAllConnections();
        await closed;
      }
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { centre: { type: 'string' }, 'token-file': { type: 'string' }, port: { type: 'string', default: '8090' } } });
  const { centre, 'token-file': file, port } = values;
  if (!centre || !file) {
    console.error('node server.mjs --centre http://127.0.0.1:8080 --token-file FILE [--port 8090]');
    process.exit(2);
  }
  // Read each time: every start of the centre has a token of its own.
  const { front, portal } = await serve({ centre: new URL(centre).origin, token: async () => (await readFile(file, 'utf8')).trim(), port: Number(port) });
  console.log(`plain HTML  ${front}/plain/\niframe      ${portal}/iframe/portal.html\nReact, Vue  want a bundler: npm run web in player-wasm/`);
}
