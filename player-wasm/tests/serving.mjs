// What the centre serves for players that are not ours, in Chromium and Firefox: HLS by hls.js, MP4 files by <video src>.
//
//   VIGIE_TOKEN=… node tests/serving.mjs http://127.0.0.1:PORT PATH...      one line of JSON for each browser and path
//
// A page of ours cannot give <video src> a token, and the centre lets no page of others in: so both come from a proxy that
// gives it. Ranges go through as the browser asks for them.

import { createReadStream } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { browsers } from './browser/browsers.js';
import { judge } from './judge/page.mjs';

const PAGE =
  '<!doctype html><title>judge</title><script src="/hls.js"></script><video muted playsinline></video>';
const PATIENCE = 60_000;
const [base, ...paths] = process.argv.slice(2);
const script = join(dirname(createRequire(import.meta.url).resolve('hls.js/package.json')), 'dist/hls.min.js');

const server = http.createServer((request, response) => {
  if (request.url === '/') {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
  } else if (request.url === '/hls.js') {
    createReadStream(script).pipe(response.writeHead(200, { 'Content-Type': 'text/javascript' }));
  } else {
    const headers = { Authorization: `Bearer ${process.env.VIGIE_TOKEN}` };
    for (const name of ['range', 'if-range']) {
      if (request.headers[name]) headers[name] = request.headers[name];
    }
    const asked = http.request(new URL(request.url, base), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy()).end();
  }
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const own = `http://127.0.0.1:${server.address().port}`;
const say = (line) => console.log(JSON.stringify(line));
for (const kind of browsers) {
  if (!kind.there) {
    say({ judge: kind.name, skipped: `${kind.path} is not there` });
    continue;
  }
  const browser = await kind.launch();
  try {
    const page = await browser.newPage();
    for (const path of paths) {
      await page.goto(`${own}/`);
      const late = new Promise((done) => setTimeout(done, PATIENCE, { error: `not at its end after ${PATIENCE / 1000} s` }).unref());
      const way = path.includes('.m3u8') ? 'hls' : 'src';
      const found = await Promise.race([page.evaluate(judge, `${own}${path}`, way), late]).catch((error) => ({ error: error.message }));
      say({ judge: kind.name, path, way, ...found });
    }
  } finally {
    await browser.close().catch(() => {});
  }
}
server.close();
server.closeAllConnections();
