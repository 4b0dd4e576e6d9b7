// The pictures of README.md, of a centre that runs: wall, timeline and a stale tile; dark in English, light in French.
//
//   npm run shots            writes docs/*.png: to look at before they are committed

import { mkdirSync, writeFileSync } from 'node:fs';
import { join as path } from 'node:path';
import { browsers } from './browser/browsers.js';
import * as centre from './browser/centre.js';
import { sleep, until } from './browser/shows.js';

/** A file of the repository is no larger, bytes. */
const MOST = 200_000;
const STOPPED = 'annoeullin/place';
const out = path(import.meta.dirname, '../docs');
mkdirSync(out, { recursive: true });

const chromium = browsers.find(({ name }) => name === 'Chromium');
if (!centre.binary() || !chromium?.there) {
  console.error('vigie-centre (cargo build -p vigie-centre) and Chromium are needed');
  process.exit(1);
}
const server = await centre.start();
const browser = await chromium.launch();
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1180, height: 720 });

  /** Else the picture would be of something else than its name says. */
  const reach = async (test, most) => {
    if (Number.isNaN(await until(test, most))) throw new Error(`not after ${most / 1000} s: ${test}`);
  };
  const state = (key) => page.evaluate((of) => document.querySelector('vigie-wall').player(of)?.state, key);
  /** The desk in one of its looks. */
  const look = async (theme, lang) => {
    await page.evaluate((kept) => Object.entries(kept).forEach(([name, value]) => localStorage.setItem(`vigie-${name}`, value)), { theme, lang, clock: 'local', visits: '1' });
    await page.reload();
    await page.waitForFunction(() => document.querySelector('vigie-wall')?.cameras?.length === 4);
  };
  const save = async (name, clip) => {
    const png = await page.screenshot(clip ? { clip } : {});
    if (png.length > MOST) throw new Error(`${name}: ${png.length} bytes are more than ${MOST}`);
    writeFileSync(path(out, `${name}.png`), png);
    console.log(`docs/${name}.png ${png.length} bytes`);
  };
  const box = (find) => page.evaluate(find).then(({ x, y, width, height }) => ({ x, y, width, height }));

  await page.goto(server.address);
  await look('dark', 'en');
  await reach(async () => (await state(STOPPED)) === 'live', 20_000);
  await sleep(25_000);

  // Late enough to be stale, and not yet taken for no signal.
  await server.order(STOPPED, 'stop');
  for (const [theme, lang] of [['dark', 'en'], ['light', 'fr']]) {
    if (theme === 'light') {
      await server.order(STOPPED, 'start');
      await look(theme, lang);
      await reach(async () => (await state(STOPPED)) === 'live', 20_000);
      await sleep(4000);
      await server.order(STOPPED, 'stop');
    }
    await reach(async () => (await state(STOPPED)) === 'stale', 10_000);
    await sleep(1200);
    await save(`stale-${theme}-${lang}`, await box(() => document.querySelector('vigie-wall').player('annoeullin/place').getBoundingClientRect().toJSON()));
  }
  await server.order(STOPPED, 'start');
  for (const [theme, lang] of [['light', 'fr'], ['dark', 'en']]) {
    await look(theme, lang);
    await reach(async () => (await state(STOPPED)) === 'live', 20_000);
    await sleep(5000);
    // The last minutes, with what was missing in them.
    await page.evaluate(() => {
      const timeline = document.querySelector('vigie-timeline');
      timeline.view = { from: timeline.now - 100e6, to: timeline.now + 6e6 };
      timeline.dispatchEvent(new CustomEvent('vigie-view', { detail: timeline.view }));
    });
    await sleep(6000);
    await save(`wall-${theme}-${lang}`);
    await save(`timeline-${theme}-${lang}`, await box(() => document.querySelector('vigie-timeline').getBoundingClientRect().toJSON()));
  }
} finally {
  await browser.close();
  await server.stop();
}
