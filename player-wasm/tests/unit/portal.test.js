// The back end of examples/web, without a browser: what comes from outside does not end it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { serve } from '../../../examples/web/server.mjs';

/** The first line of the answer to a target that `fetch` would not send. @param {string} origin @param {string} target */
async function asked(origin, target) {
  const socket = net.connect(Number(new URL(origin).port), '127.0.0.1');
  socket.write(`GET ${target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n`);
  const [bytes] = await once(socket, 'data');
  socket.destroy();
  return String(bytes).split('\r\n')[0];
}

test('addresses that are none, and a centre that has no token yet', async (context) => {
  const portal = await serve({ centre: 'http://127.0.0.1:9', token: () => Promise.reject(new Error('ENOENT')) });
  context.after(() => portal.stop());
  for (const target of ['//', '/plain//', '/plain/..%2fserver.mjs', '/server.mjs', '*']) assert.match(await asked(portal.front, target), / 404 /, target);
  const page = await fetch(`${portal.front}/plain/`);
  assert.equal(page.status, 200);
  await page.text();
  const cookie = (page.headers.get('set-cookie') ?? '').split(';')[0];
  const token = await fetch(`${portal.front}/token`, { method: 'POST', headers: { Cookie: cookie, Origin: portal.front } });
  assert.equal(token.status, 503);
  await token.text();
  const stranger = await fetch(`${portal.front}/token`, { method: 'POST', headers: { Origin: portal.front } });
  assert.equal(stranger.status, 403);
  await stranger.text();
});

test('a token is of the session and its cameras, and few are asked for', async (context) => {
  const asked = /** @type {{authorization: unknown, wanted: any}[]} */ ([]);
  let status = 200;
  const centre = http.createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    asked.push({ authorization: request.headers.authorization, wanted: JSON.parse(body) });
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ token: `t${asked.length}` }));
  });
  centre.listen(0, '127.0.0.1');
  await once(centre, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (centre.address());
  let own = 'first';
  const portal = await serve({ centre: `http://127.0.0.1:${port}`, token: async () => own, cameras: (session) => [`a/${session.length}`], seconds: 40 });
  context.after(async () => {
    await portal.stop();
    centre.closeAllConnections();
    centre.close();
  });
  const user = async () => (await fetch(`${portal.front}/plain/`)).headers.get('set-cookie')?.split(';')[0] ?? '';
  const token = async (/** @type {string} */ Cookie) => {
    const answer = await fetch(`${portal.front}/token`, { method: 'POST', headers: { Cookie, Origin: portal.front } });
    return answer.ok ? answer.json() : answer.status;
  };
  const [one, two] = [await user(), await user()];
  const got = await token(one);
  assert.equal(got.token, 't1');
  assert.ok(got.expires_in > 30 && got.expires_in <= 40, String(got.expires_in));
  assert.equal((await token(one)).token, 't1');
  assert.equal((await token(two)).token, 't2');
  assert.deepEqual(asked[0], { authorization: 'Bearer first', wanted: { cameras: ['a/32'], seconds: 40 } });
  // The centre was started anew: what it gave before is worth nothing.
  own = 'second';
  status = 503;
  assert.equal(await token(one), 503);
  status = 200;
  assert.equal((await token(one)).token, 't4');
  assert.equal(asked[3]?.authorization, 'Bearer second');
});

test('what a page gives up is given up with the centre', async (context) => {
  let given = () => {};
  const up = new Promise((done) => (given = () => done(true)));
  const centre = http.createServer((_, response) => {
    response.on('close', given);
    const fill = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
    };
    response.on('drain', fill);
    fill();
  });
  centre.listen(0, '127.0.0.1');
  await once(centre, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (centre.address());
  const portal = await serve({ centre: `http://127.0.0.1:${port}`, token: async () => 'token' });
  context.after(async () => {
    await portal.stop();
    centre.closeAllConnections();
    centre.close();
  });
  const cancel = new AbortController();
  const answer = await fetch(`${portal.front}/archive/a`, { signal: cancel.signal });
  await answer.body?.getReader().read();
  cancel.abort();
  assert.equal(await Promise.race([up, new Promise((done) => setTimeout(done, 5000, false))]), true);
});
