// Hours of it: four live tiles, then someone who looks for something in the recording and does not tire.
//
//   npm run hours            VIGIE_LIVE_MINUTES=60 VIGIE_SCRUB_MINUTES=30 VIGIE_BROWSERS=chromium,firefox
//
// Memory is what the browser's processes have to themselves and their share of the rest (PSS), twice a minute; flat: in the last
// quarter no more than in the second. Chromium also tells of its JavaScript heap and of long tasks.

import { browsers } from './browser/browsers.js';
import * as centre from './browser/centre.js';
import { percentile } from './browser/probe.js';
import { Report } from './browser/report.js';
import { sleep, until } from './browser/shows.js';
import { KEY } from './browser/tile.js';
import { memory } from './compare/processes.js';

const minutes = (name, or) => Number(process.env[name] ?? or) * 60_000;
const LIVE = minutes('VIGIE_LIVE_MINUTES', 60);
const SCRUB = minutes('VIGIE_SCRUB_MINUTES', 30);
/** Milliseconds between two looks at the memory. */
const LOOK = 30_000;
/** By so much the last quarter may be above the second: what a browser's caches do by themselves. */
const FLAT = 1.05;

/** In the page: long tasks and what nobody caught. */
function watch() {
  const found = (window.__hours = { long: [], rejected: [], pictures: 0 });
  addEventListener('unhandledrejection', ({ reason }) => found.rejected.push(String(reason)));
  if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    new PerformanceObserver((list) => found.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
  }
  for (const { tenant, id } of document.querySelector('vigie-wall').cameras) {
    document.querySelector('vigie-wall').player(`${tenant}/${id}`).addEventListener('vigie-picture', () => (found.pictures += 1));
  }
}

/** Does `work` again and again until `end`, and looks at the memory meanwhile: MiB. */
async function measured({ browser, page }, end, work) {
  const [pss, heap] = [[], []];
  const cdp = await page.createCDPSession().catch(() => null);
  await cdp?.send('Performance.enable');
  let next = Date.now();
  while (Date.now() < end) {
    if (Date.now() >= next) {
      next += LOOK;
      pss.push(memory(browser.process().pid) / 2 ** 20);
      const metrics = await cdp?.send('Performance.getMetrics');
      if (metrics) heap.push(metrics.metrics.find(({ name }) => name === 'JSHeapUsedSize').value / 2 ** 20);
    }
    await work();
  }
  await cdp?.detach();
  return { pss, heap };
}

/** @param {Report} report @param {number[]} values @param {(list: number[]) => number} of */
function flat(report, name, what, values, of) {
  const quarter = (/** @type {number} */ n) => of(values.slice(Math.floor((values.length * n) / 4), Math.ceil((values.length * (n + 1)) / 4)));
  const [second, last] = [quarter(1), quarter(3)];
  report.most(name, `${what}: last quarter, of the second (${second.toFixed(1)} MiB)`, (100 * last) / second, 100 * FLAT, '%');
  report.note(name, '… quarters', [0, 1, 2, 3].map((n) => quarter(n).toFixed(1)).join(', '));
}

const median = (/** @type {number[]} */ list) => percentile(list, 0.5);
const least = (/** @type {number[]} */ list) => Math.min(...list);

async function told(context, what, { pss, heap }) {
  const { page, report, name, complaints } = context;
  flat(report, name, `${what}: memory`, pss, median);
  // What is garbage goes now and then: the least is what is kept.
  if (heap.length) flat(report, name, `${what}: JavaScript’s heap`, heap, least);
  const { long, rejected, pictures } = await page.evaluate(() => {
    const { long, rejected, pictures } = window.__hours;
    window.__hours.long = [];
    window.__hours.pictures = 0;
    return { long, rejected, pictures };
  });
  report.note(name, `${what}: pictures`, String(pictures));
  report.most(name, `${what}: unhandled rejections, errors`, rejected.length + complaints.length, 0, '');
  for (const complaint of [...rejected, ...complaints].slice(0, 5)) console.log(complaint);
  if (heap.length) {
    report.most(name, `${what}: tasks above 50 ms`, long.length, 0, '');
    if (long.length) report.note(name, '… the longest', `${Math.max(...long)} ms`);
  }
}

async function live(context) {
  const { page, report, name } = context;
  const playing = () =>
    page.evaluate(() => {
      const wall = document.querySelector('vigie-wall');
      return wall.cameras.map(({ tenant, id }) => wall.player(`${tenant}/${id}`).state);
    });
  await until(async () => (await playing()).filter((state) => state === 'live').length >= (context.h265 ? 4 : 3), 30_000);
  await sleep(10_000);
  await page.evaluate(watch);
  let [looks, good] = [0, 0];
  const found = await measured(context, Date.now() + LIVE, async () => {
    await sleep(5000);
    looks += 1;
    good += (await playing()).filter((state) => state === 'live').length >= (context.h265 ? 4 : 3) ? 1 : 0;
  });
  report.least(name, 'live: looks at which all were live', Math.round((1000 * good) / looks) / 10, 99, '%');
  await told(context, 'live', found);
}

async function scrub(context) {
  const { page, report, name, server } = context;
  let [sought, there] = [0, 0];
  let turn = 1;
  const random = () => (turn = (turn * 48_271) % 2_147_483_647) / 2_147_483_647;
  const found = await measured(context, Date.now() + SCRUB, async () => {
    // Somewhere in the recording, of at most half an hour.
    const oldest = Math.max(server.began + 10_000, Date.now() - 1_800_000);
    const aim = () => oldest + random() * (Date.now() - 15_000 - oldest);
    const point = (ms) =>
      page.evaluate(
        ([key, utc]) => {
          const timeline = document.getElementById('timeline');
          timeline.view = { from: utc - 300e6, to: utc + 300e6 };
          return new Promise((done) => requestAnimationFrame(() => done(timeline.pointOf(utc, key))));
        },
        [KEY, ms * 1000],
      );
    const ms = aim();
    const { x, y } = await point(ms);
    for (let n = 0; n < 12; n += 1) {
      await page.mouse.move(x + (random() - 0.5) * 300, y);
      await sleep(60);
    }
    await page.mouse.click(x, y);
    sought += 1;
    const shown = () =>
      page.evaluate((key) => {
        const player = document.querySelector('vigie-wall').player(key);
        return player.state === 'recorded' && player.picture ? player.picture.utc / 1000 : NaN;
      }, KEY);
    const took = await until(async () => Math.abs((await shown()) - ms) < 5000, 5000, 50);
    there += Number.isNaN(took) ? 0 : 1;
    for (const key of random() < 0.3 ? ['k', '.', ',', 'j', 'j', 'l'] : []) {
      await page.keyboard.press(key);
      await sleep(300);
    }
    await sleep(500);
    if (random() < 0.15) {
      await page.evaluate(() => document.getElementById('live').click());
      await sleep(2000);
    }
  });
  report.least(name, `scrubbing: of ${sought} moments asked for, shown`, Math.round((1000 * there) / sought) / 10, 99, '%');
  await told(context, 'scrubbing', found);
}

const wanted = (process.env.VIGIE_BROWSERS ?? 'chromium,firefox').toLowerCase().split(',');
const report = new Report();
const skipped = [];
for (const kind of browsers.filter(({ name }) => wanted.includes(name.toLowerCase()))) {
  if (!kind.there) {
    skipped.push(`${kind.name}: ${kind.path} is not there`);
    continue;
  }
  const browser = await kind.launch();
  const server = await centre.start();
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error.message ?? error)));
    page.on('console', (message) => ['error', 'warn'].includes(message.type()) && complaints.push(message.text()));
    const context = { browser, page, server, report, complaints, name: kind.name, h265: kind.h265 };
    await page.goto(server.address);
    await page.waitForFunction(() => document.querySelector('vigie-wall')?.cameras?.length === 4);
    await live(context);
    await scrub(context);
  } catch (error) {
    report.holds(kind.name, 'no error in the test itself', false, error.message);
    console.error(error);
  } finally {
    await browser.close().catch(() => {});
    await server.stop();
  }
}
const good = report.end(skipped);
process.exit(good && !(skipped.length && process.env.VIGIE_REQUIRE_VECTORS === '1') ? 0 : 1);
