// The demo's fifth camera follows the pad beside the wall: what is in its pictures moves, and stops.

import { join as path } from 'node:path';
import * as centre from './centre.js';
import { sleep, until } from './shows.js';

const KEY = 'provin/rue';

/** How much of the picture below the barcode differs from the one kept before, of 1; the new one is kept. */
const SCRIPT = `window.changed = () => {
  const { video } = window.watched ??= { video: document.querySelector('vigie-wall').player('${KEY}').shadowRoot.querySelector('video') };
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
    const hidden = () => page.evaluate(() => document.querySelector('vigie-ptz').hidden);
    report.holds(name, 'no pad beside one that cannot', await hidden());
    await page.evaluate((key) => {
      const wall = document.querySelector('vigie-wall');
      wall.selected = key;
      wall.enlarged = key;
    }, KEY);
    await until(() => page.evaluate((key) => document.querySelector('vigie-wall').player(key)?.state === 'live', KEY), 15_000);
    const shown = await until(async () => !(await hidden()), 3000);
    report.holds(name, 'the pad is there for one that can', shown >= 0);
    await page.evaluate(SCRIPT);
    const changed = () => page.evaluate(() => window.changed());
    await changed();
    await sleep(600);
    const rest = await changed();
    report.most(name, 'at rest, of the picture changes', Math.round(100 * rest), 1, '%');
    await page.evaluate(() => document.querySelector('vigie-ptz').shadowRoot.querySelector('.pad').focus());
    for (const key of ['ArrowRight', 'ArrowUp', '+']) {
      await page.keyboard.down(key);
      await sleep(1200);
      await page.keyboard.up(key);
      // Until what was taken before it stopped has passed.
      await sleep(900);
      const moved = await changed();
      report.least(name, `${key} held: of the picture another is there`, Math.round(100 * moved), 10, '%');
    }
    await sleep(600);
    report.most(name, 'let go, it stands still again', Math.round(100 * (await changed())), 1, '%');
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-moving.png`) });
    await page.evaluate((key) => document.querySelector('vigie-wall').player(key).seek(Date.now() * 1000 - 3_000_000), KEY);
    const gone = await until(hidden, 4000);
    report.holds(name, 'what was recorded is not to be moved: no pad', gone >= 0);
  } finally {
    await page.close();
    await server.stop();
  }
}
