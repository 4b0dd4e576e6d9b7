// A portal of somebody else in front of the centre: its page under `default-src 'self'`, everything else passed on.

import http from 'node:http';
import net from 'node:net';

/** What README.md asks of a portal's page. */
export const POLICY = "default-src 'self'; media-src 'self' blob:";

const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Portal</title>
<link rel="stylesheet" href="/portal.css"><script type="module" src="/portal.js"></script></head><body></body></html>`;
const STYLE = 'html,body{height:100%;margin:0;background:#0d1115} vigie-wall{width:100%;height:100%}';
const SCRIPT = `import '/player/index.js';
const wall = document.createElement('vigie-wall');
wall.setAttribute('clock', 'utc');
wall.token = new URLSearchParams(location.hash.slice(1)).get('token');
wall.cameras = [{ tenant: 'annoeullin', id: 'mairie', name: 'Mairie', number: 1 }, { tenant: 'annoeullin', id: 'place', name: 'Place', number: 2 }];
document.body.append(wall);`;

/**
 * Server frames of a WebSocket (RFC 6455 §5.2), some of those with RTP left out.
 * @param {{lose: number, lost: number}} faults
 */
function thinner(faults) {
  let rest = Buffer.alloc(0);
  let head = true;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const out = [];
    if (head) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return out;
      out.push(rest.subarray(0, end + 4));
      rest = rest.subarray(end + 4);
      head = false;
    }
    while (rest.length >= 2) {
      const short = rest[1] & 0x7f;
      const start = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (rest.length < start) break;
      const size = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
      if (rest.length < start + size) break;
      const frame = rest.subarray(0, start + size);
      rest = rest.subarray(start + size);
      if (faults.lose > 0 && (frame[0] & 0x0f) === 2 && frame[start] === 0x24 && size > 400) {
        faults.lose -= 1;
        faults.lost += 1;
      } else {
        out.push(frame);
      }
    }
    return out;
  };
}

/** @param {string} centre its origin @param {string} policy @param {string} [script]  Of the page, in place of the wall. */
export async function portal(centre, policy, script = SCRIPT) {
  /** What goes wrong on the way: `down`: nobody answers; `lose`: so many frames with RTP are left out; `before`: what each of the player's scripts begins with. */
  const faults = { down: false, lose: 0, lost: 0, before: '' };
  const links = new Set();
  const { hostname, port } = new URL(centre);
  const own = { '/': ['text/html; charset=utf-8', PAGE], '/portal.js': ['text/javascript', script], '/portal.css': ['text/css', STYLE] };
  const headers = (given) => {
    const passed = { ...given, host: `${hostname}:${port}` };
    if (passed.origin) passed.origin = centre;
    return passed;
  };
  const server = http.createServer((request, response) => {
    const mine = own[request.url];
    if (mine) {
      // As the player's pages have it: else a second window would not know who opened it.
      response.writeHead(200, { 'Content-Type': mine[0], 'Content-Security-Policy': policy, 'Cross-Origin-Opener-Policy': 'same-origin' });
      response.end(mine[1]);
      return;
    }
    const onward = http.request({ hostname, port, path: request.url, method: request.method, headers: headers(request.headers) }, (answer) => {
      const given = { ...answer.headers };
      // The page's own policy is the portal's; the Worker's comes with the Worker.
      if (!request.url.endsWith('worker.js')) given['content-security-policy'] = policy;
      const before = request.url.endsWith('.js') && answer.statusCode === 200 ? faults.before : '';
      if (before) delete given['content-length'];
      response.writeHead(answer.statusCode, given);
      response.write(before);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    if (faults.down) {
      socket.destroy();
      return;
    }
    const onward = net.connect(Number(port), hostname, () => {
      const lines = Object.entries(headers(request.headers)).map(([name, value]) => `${name}: ${value}`);
      onward.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      const thin = thinner(faults);
      onward.on('data', (chunk) => thin(chunk).forEach((piece) => socket.write(piece)));
      onward.on('end', () => socket.end());
      socket.pipe(onward);
    });
    links.add({ onward, socket });
    for (const end of [onward, socket]) {
      end.on('error', () => {
        onward.destroy();
        socket.destroy();
      });
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    faults,
    /** Every connection breaks. */
    drop() {
      for (const { onward, socket } of links) {
        onward.destroy();
        socket.destroy();
      }
      links.clear();
    },
    /** Nothing comes through, and nothing is lost; then all of it at once. @param {boolean} on */
    hold(on) {
      for (const { onward } of links) on ? onward.pause() : onward.resume();
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  };
}

/**
 * Where a token could be read by who should not: addresses, markup with that of shadow trees, storage.
 * @param {import('puppeteer-core').Page | import('puppeteer-core').Frame} frame @param {string} token
 */
export const leaks = (frame, token) =>
  frame.evaluate((secret) => {
    const markup = (root) => (root.outerHTML ?? root.innerHTML) + [...root.querySelectorAll('*')].map(({ shadowRoot }) => (shadowRoot ? markup(shadowRoot) : '')).join('');
    const places = {
      address: [location.href, ...performance.getEntriesByType('resource').map(({ name }) => name)].join(' '),
      markup: markup(document.documentElement),
      storage: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) + document.cookie,
    };
    return Object.entries(places).flatMap(([place, text]) => (text.includes(secret) ? [place] : []));
  }, token);

/** A page of another origin that tries what it can to reach the centre, with the token even. */
export async function stranger(centre, token) {
  const server = http.createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end('<!doctype html><title>stranger</title>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  /** Runs in the page. */
  const attempt = async ([base, key]) => {
    const got = [];
    for (const path of ['/api/cameras', '/archive/annoeullin/mairie', '/player/index.js', '/']) {
      for (const headers of [{}, { Authorization: `Bearer ${key}` }]) {
        try {
          const answer = await fetch(base + path, { headers });
          got.push(`${path}: HTTP ${answer.status}, ${(await answer.text()).length} bytes`);
        } catch {
          // As it should be.
        }
      }
    }
    const opened = await new Promise((done) => {
      const socket = new WebSocket(base.replace('http', 'ws') + '/rtsp', ['rtsp.onvif.org']);
      socket.onopen = () => done(true);
      socket.onerror = socket.onclose = () => done(false);
    });
    if (opened) got.push('/rtsp: opened');
    return got;
  };
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    arguments: [centre, token],
    attempt,
    stop: () => new Promise((done) => server.close(done)),
  };
}
