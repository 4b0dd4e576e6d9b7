// Chromium and Firefox as judges of MP4 files: what codec, how large, how many pictures, which first and which last.
//
//   node tests/judge.mjs FILE...          one line of JSON for each browser and file
//
// A stored `.m4v` is appended to Media Source as it lies on the disk, in pieces cut anywhere; an exported `.mp4` is opened
// by <video src>. Both are played to the end. A browser that is not there, or cannot do the codec, says so in its line.

import { createReadStream, statSync } from 'node:fs';
import http from 'node:http';
import { basename } from 'node:path';
import { browsers } from './browser/browsers.js';
import { judge } from './judge/page.mjs';

const PAGE = '<!doctype html><title>judge</title><video muted playsinline></video>';
const PATIENCE = 120_000;
const files = process.argv.slice(2);

/** Serves the page at `/` and the files at `/0`, `/1` …, with ranges: <video src> asks for them. */
async function serve() {
  const server = http.createServer((request, response) => {
    const path = files[Number(request.url.slice(1))];
    if (request.url === '/' || path === undefined) {
      response.writeHead(request.url === '/' ? 200 : 404, { 'Content-Type': 'text/html' });
      response.end(request.url === '/' ? PAGE : '');
      return;
    }
    const { size } = statSync(path);
    const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const [start, end] = asked ? [Number(asked[1]), Math.min(Number(asked[2] || size - 1), size - 1)] : [0, size - 1];
    const headers = { 'Content-Type': 'video/mp4', 'Accept-Ranges': 'bytes', 'Content-Length': end - start + 1 };
    if (asked) headers['Content-Range'] = `bytes ${start}-${end}/${size}`;
    response.writeHead(asked ? 206 : 200, headers);
    createReadStream(path, { start, end }).on('error', () => response.destroy()).pipe(response);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

const say = (line) => console.log(JSON.stringify(line));
const server = await serve();
const base = `http://127.0.0.1:${server.address().port}`;
for (const kind of browsers) {
  if (!kind.there) {
    say({ judge: kind.name, skipped: `${kind.path} is not there` });
    continue;
  }
  const browser = await kind.launch();
  try {
    const page = await browser.newPage();
    for (const [i, file] of files.entries()) {
      // A fresh document for each file: nothing of the one before counts.
      await page.goto(`${base}/`);
      const late = new Promise((done) => setTimeout(done, PATIENCE, { error: `not at its end after ${PATIENCE / 1000} s` }).unref());
      const way = basename(file).endsWith('.m4v') ? 'mse' : 'src';
      const found = await Promise.race([page.evaluate(judge, `${base}/${i}`, way), late]).catch((error) => ({ error: error.message }));
      say({ judge: kind.name, file, way, ...found });
    }
  } finally {
    await browser.close().catch(() => {});
  }
}
server.close();
server.closeAllConnections();
