// One contender in a browser of its own: sixteen tiles, looked at and counted.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { install, percentile } from '../browser/probe.js';
import { sleep, until } from '../browser/shows.js';
import { COUNT, find } from './cameras.js';
import { busy, memory, spent, times } from './processes.js';

const PAGE = join(import.meta.dirname, 'page');
/** From the first pictures to where it is measured, milliseconds: what a player does to begin with is over. */
const SETTLE = 10_000;
const PATIENCE = 15_000;

/** What feeds it: the centre, or a relay. */
async function server(contender, cameras) {
  const { kind, lib } = contender;
  if (kind === 'vigie') {
    const centre = await cameras.centre(PAGE);
    const up = async () => (await (await centre.api('/api/cameras')).json()).tenants.flatMap((tenant) => tenant.cameras).every(({ state }) => state === 'recording');
    if (Number.isNaN(await until(up, PATIENCE))) throw new Error('the centre does not record all cameras');
    return { base: centre.base, token: centre.token, pid: centre.pid, origins: {}, delays: null, stop: () => centre.stop() };
  }
  const files = { '/': join(PAGE, 'index.html'), '/page.js': join(PAGE, 'page.js'), '/page.css': join(PAGE, 'page.css'), '/lib.js': lib };
  for (const way of ['share', 'mse', 'mpegts', 'hls', 'jmuxer']) files[`/ways/${way}.js`] = join(PAGE, 'ways', `${way}.js`);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'relay.js'), JSON.stringify({ kind, cameras: cameras.urls, files })], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((done) => child.on('exit', done));
  const { base, origins } = await new Promise((done, fail) => {
    child.stdout.once('data', (chunk) => done(JSON.parse(String(chunk))));
    gone.then((code) => fail(new Error(`the relay ended with ${code}`)));
  });
  const stop = async () => {
    child.stdin.end();
    await gone;
  };
  const get = async (path) => (await fetch(base + path)).json();
  if (Number.isNaN(await until(() => get('/ready'), PATIENCE))) {
    await stop();
    throw new Error('the relay has not every camera');
  }
  return { base, token: '', pid: /** @type {number} */ (child.pid), origins, delays: () => get('/delays'), stop };
}

/** The browser is a session of its own, and Linux shares out between sessions before it looks at niceness: it gets ours. @param {number} pid */
function favour(pid) {
  try {
    if (getPriority() !== 0) for (const session of [process.pid, pid]) writeFileSync(`/proc/${session}/autogroup`, String(getPriority()));
  } catch {
    // Not on this kernel, or not ours to say.
  }
}

/**
 * @param {import('../browser/browsers.js').browsers[0]} kind
 * @param {{name: string, kind: string, way: string, lib?: string, latency?: string}} contender
 * @param {number} seconds @param {string} shot  Where its picture goes.
 */
export async function measure(kind, contender, cameras, seconds, shot) {
  const feeder = await server(contender, cameras);
  const browser = await kind.launch();
  const pid = /** @type {number} */ (browser.process()?.pid);
  favour(pid);
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error.message ?? error)));
    const query = new URLSearchParams({ way: contender.way, cameras: cameras.names.join(), origins: JSON.stringify(feeder.origins), latency: contender.latency ?? '' });
    await page.goto(`${feeder.base}/?${query}#token=${feeder.token}`);
    await page.waitForFunction('window.__ready');
    await page.evaluate(install);
    const first = await page.evaluate((ms) => window.begin(ms), PATIENCE);
    await sleep(SETTLE);
    const start = await page.evaluate(() => window.snap());
    await feeder.delays?.();
    const [before, served, all, own, began] = [times(pid), times(feeder.pid), busy(), times(process.pid), performance.now()];
    const read = await page.evaluate((ms) => window.watch(ms), seconds * 1000);
    const took = (performance.now() - began) / 1000;
    const cpu = spent(before, times(pid)) / took;
    const feeding = spent(served, times(feeder.pid)) / took;
    const foreign = Math.max(0, busy() - all - spent(own, times(process.pid))) / took;
    const bytes = memory(pid);
    const end = await page.evaluate(() => window.snap());
    const relayed = (await feeder.delays?.()) ?? [];
    await page.screenshot({ path: shot });
    if (complaints.length) console.error(`${contender.name}: ${complaints.length} errors on its page: ${complaints[0].slice(0, 200)}`);
    return { name: contender.name, ...judge(cameras, { first, start, end, read, took }), cpu, memory: bytes, feeding, foreign, relay: percentile(relayed, 0.5) };
  } finally {
    await browser.close().catch(() => {});
    await feeder.stop();
  }
}

/** Joins what was on the screen with what the cameras sent. */
function judge(cameras, { first, start, end, read, took }) {
  const table = cameras.table();
  const sent = (tile) => table.get(cameras.names[tile]) ?? [];
  let unread = 0;
  const delays = read.flatMap(([tile, at, camera, number]) => {
    const place = camera < 0 ? -1 : find(sent(tile), number, at);
    if (place < 0) unread += 1;
    return place < 0 ? [] : [at - sent(tile)[place][1]];
  });
  let [shown, passed, total, dropped] = [0, 0, 0, 0];
  const rates = [];
  for (let tile = 0; tile < COUNT; tile += 1) {
    const [a, b] = [start[tile], end[tile]];
    const places = [a, b].map((one) => (one && one.camera >= 0 ? find(sent(tile), one.number, one.at) : -1));
    const whole = a && b && places.every((place) => place >= 0) && b.presented >= a.presented && b.total >= a.total;
    // The lesser of what was handed to the screen (Firefox counts some twice) and of what the element did not drop.
    const seen = whole ? Math.min(b.presented - a.presented, b.total - a.total - (b.dropped - a.dropped)) : 0;
    // A tile that stands still shows nothing of what was sent.
    shown += seen;
    passed += whole ? places[1] - places[0] : 25 * took;
    total += whole ? b.total - a.total : 0;
    dropped += whole ? b.dropped - a.dropped : 0;
    rates.push(whole ? seen / ((b.at - a.at) / 1000) : 0);
  }
  const came = first.filter((ms) => ms !== null);
  return {
    playing: rates.filter((rate) => rate > 0).length,
    first: came.length === COUNT ? [percentile(first, 0.5), percentile(first, 0.95)] : [NaN, NaN],
    delay: [percentile(delays, 0.5), percentile(delays, 0.95)],
    samples: read.length,
    unread,
    rate: rates.reduce((a, b) => a + b, 0) / COUNT,
    slowest: Math.min(...rates),
    /** Per cent of what the element says that it had: it decoded them too late to show. */
    dropped: (100 * dropped) / total,
    /** Per cent of what the camera sent between the first picture and the last: dropped, or jumped over. */
    unseen: Math.max(0, 100 * (1 - shown / passed)),
  };
}
