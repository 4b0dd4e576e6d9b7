// The demo's fifth camera follows the pad beside the wall: what is in its pictures moves, and stops.

import { join as path } from 'node:path';
import * as centre from './centre.js';
import { sleep, until } from './shows.js';

const [KEY, FIXED] = ['provin/rue', 'provin/ecole'];

/** How much of the picture below the barcode differs from the one that was kept before, of 1; the new one is kept. */
const SCRIPT = `window.changed = () => {
  const { video } = document.querySelector('vigie-wall').player('${KEY}');
  const canvas = new OffscreenCanvas(160, 90);
  const paint = canvas.getContext('2d');
  paint.drawImage(video, 0, 0, 160, 90);
  const pixels = paint.getImageData(0, 9, 160, 81).data;
  const before = window.before ?? pixels;
  window.before = pixels;
  let n = 0;
  for (let i = 0; i < pixels.length; i += 4) n += Math.abs(pixels[i] - before[i]) > 24;
  return n / (pixels.length / 4);
};`;

export async function moving(context) {
  const { browser, report, name, out } = context;
  const server = await centre.start(['demo', '--dome']);
  const page = await browser.newPage();
  try {
    await page.goto(server.address);
    const there = await until(() => page.evaluate((key) => document.querySelector('vigie-wall').cameras.some(({ tenant, id }) => `${tenant}/${id}` === key), KEY), 10_000);
    report.holds(name, 'the demo has a camera that can be moved', there >= 0);
    const live = (key) => until(() => page.evaluate((of) => document.querySelector('vigie-wall').player(of)?.state === 'live', key), 15_000);
    const choose = (key) => page.evaluate((of) => (document.querySelector('vigie-wall').selected = of), key);
    const hidden = () => page.evaluate(() => document.querySelector('vigie-ptz').hidden);
    await choose(FIXED);
    await live(FIXED);
    await sleep(600);
    report.holds(name, 'no pad beside a camera that cannot be moved', await hidden());
    await choose(KEY);
    await live(KEY);
    report.holds(name, 'a pad beside one that can', (await until(async () => !(await hidden()), 5000)) >= 0);
    await page.evaluate(SCRIPT);
    const changed = () => page.evaluate(() => window.changed());
    /** Looks until two pictures in a row, half a second apart, are the same; a slow machine shows late. */
    const rests = async () => {
      await changed();
      return until(async () => (await changed()) <= 0.01, 15_000, 500);
    };
    const focus = () => page.evaluate(() => document.querySelector('vigie-ptz').shadowRoot.querySelector('.pad').focus());
    report.holds(name, 'it stands still', (await rests()) >= 0);
    await focus();
    for (const key of ['ArrowRight', 'ArrowUp', '+']) {
      await changed();
      await page.keyboard.down(key);
      const moved = await until(async () => (await changed()) >= 0.05, 15_000, 500);
      await page.keyboard.up(key);
      report.holds(name, `${key} held: it moves`, moved >= 0);
      report.holds(name, '… and let go, it stands still again', (await rests()) >= 0);
    }
    // Another camera is chosen while a key is held: this one stops at once, and not a second later by itself.
    await focus();
    const orders = await page.evaluate(
      ([moves, fixed]) =>
        new Promise((done) => {
          const pad = document.querySelector('vigie-ptz').shadowRoot.querySelector('.pad');
          const told = [];
          const real = window.fetch;
          window.fetch = (address, init) => {
            if (String(address).endsWith('/move')) told.push([String(address), JSON.parse(init.body).pan]);
            return real(address, init);
          };
          pad.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', code: 'ArrowLeft', bubbles: true, composed: true }));
          setTimeout(() => (document.querySelector('vigie-wall').selected = fixed), 300);
          setTimeout(() => {
            window.fetch = real;
            done([told.length, told.every(([address]) => address.includes(moves)), told[0]?.[1], told.at(-1)?.[1]]);
          }, 1500);
        }),
      [KEY, FIXED],
    );
    report.holds(name, 'another camera is chosen meanwhile: a stop goes to the one that moves', orders[0] >= 2 && orders[1] && orders[2] < 0 && orders[3] === 0, orders.join());
    await choose(KEY);
    await until(async () => !(await hidden()), 5000);
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-moving.png`) });
    await page.evaluate((key) => document.querySelector('vigie-wall').player(key).seek(Date.now() * 1000 - 3_000_000), KEY);
    report.holds(name, 'what was recorded is not to be moved: no pad', (await until(hidden, 5000)) >= 0);
  } finally {
    await page.close();
    await server.stop();
  }
}
