// A picture looked at closely, and marked with who looks: digital zoom, watermark, less motion.

import { join as path } from 'node:path';
import { sleep, until } from './shows.js';
import { on } from './tile.js';

const SCRIPT = `import '/player/tile.js';
  const player = (window.player = document.createElement('vigie-player'));
  for (const [name, value] of Object.entries({ tenant: 'annoeullin', camera: 'mairie', label: 'Mairie', clock: 'utc', zoomable: '', watermark: 'A. Agent 4711' })) player.setAttribute(name, value);
  player.style.setProperty('height', '400px');
  player.style.setProperty('width', '640px');
  player.token = new URLSearchParams(location.hash.slice(1)).get('token');
  window.zooms = [];
  player.addEventListener('vigie-zoom', ({ detail }) => window.zooms.push(detail));
  // Was a picture ever to be seen without the mark?
  window.bare = 0;
  const look = () => {
    const [video, mark] = ['video', '.watermark'].map((what) => player.shadowRoot.querySelector(what));
    if (getComputedStyle(video).visibility === 'visible' && !mark && player.state !== 'idle') window.bare += 1;
    requestAnimationFrame(look);
  };
  document.body.append(player);
  look();`;

const zoom = (page) => page.evaluate(() => window.player.zoom);
const near = (a, b) => Math.abs(a - b) < 0.02;

export async function closer(context) {
  await on(context, async ({ page, report, name, out }) => {
    await until(() => page.evaluate(() => window.player.state === 'live'), 15_000, 50);
    const box = await page.evaluate(() => {
      const { left, top, width, height } = window.player.shadowRoot.querySelector('.picture').getBoundingClientRect();
      return { left, top, width, height };
    });
    const at = (x, y) => [box.left + x * box.width, box.top + y * box.height];
    const drawn = () => page.evaluate(() => window.player.shadowRoot.querySelector('video').getBoundingClientRect().width / window.player.shadowRoot.querySelector('.picture').clientWidth);

    await page.mouse.move(...at(0.25, 0.25));
    await page.mouse.wheel({ deltaY: -400 });
    await until(async () => (await zoom(page)).scale > 2, 2000, 30);
    const wheeled = await zoom(page);
    report.holds(name, 'the wheel makes it larger, around the pointer', wheeled.scale > 2 && near(wheeled.x + (0.25 - 0.5) / wheeled.scale, 0.25) && near(await drawn(), wheeled.scale), `×${wheeled.scale.toFixed(2)}, ${wheeled.x.toFixed(2)}`);
    await page.mouse.down();
    await page.mouse.move(...at(0.15, 0.25), { steps: 4 });
    await page.mouse.up();
    const panned = await zoom(page);
    report.holds(name, 'the picture follows a drag', near(panned.x - wheeled.x, 0.1 / wheeled.scale) && near(panned.y, wheeled.y), `${panned.x.toFixed(3)} from ${wheeled.x.toFixed(3)}`);
    await page.mouse.click(...at(0.75, 0.5));
    const centred = await zoom(page);
    report.holds(name, 'what is clicked comes to the middle: no drag is needed', near(centred.x - panned.x, 0.25 / panned.scale) && near(centred.y, panned.y), `${centred.x.toFixed(3)} from ${panned.x.toFixed(3)}`);
    const chip = await page.evaluate(() => window.player.shadowRoot.querySelector('.zoom').textContent);
    report.holds(name, 'it says that it shows a part', chip === `zoom ×${panned.scale.toFixed(1)}`, chip);
    // A whole picture leaves the page what it looks at: the capture is whole, and the barcode in it is read.
    const captured = await page.evaluate(async () => {
      const { player } = window;
      const shot = await player.captureFrame();
      const image = await createImageBitmap(shot.blob);
      const canvas = new OffscreenCanvas(image.width, image.height);
      const paint = canvas.getContext('2d');
      const pixels = () => paint.getImageData(0, 0, image.width, image.height).data;
      player.pause();
      await new Promise((done) => setTimeout(done, 300));
      paint.drawImage(player.video, 0, 0);
      const plain = pixels().slice();
      const frozen = await player.captureFrame();
      paint.drawImage(await createImageBitmap(frozen.blob), 0, 0);
      const marked = pixels();
      let changed = 0;
      const quarters = new Set();
      for (let i = 0; i < plain.length; i += 4) {
        if (Math.abs(plain[i] - marked[i]) < 24) continue;
        changed += 1;
        const pixel = i / 4;
        quarters.add(`${Math.floor((4 * (pixel % image.width)) / image.width)},${Math.floor((4 * Math.floor(pixel / image.width)) / image.height)}`);
      }
      await player.play();
      return { size: [image.width, image.height], whole: [player.videoWidth, player.videoHeight], share: changed / (plain.length / 4), quarters: quarters.size, text: shot.watermark };
    });
    report.holds(name, 'a capture has the whole picture', captured.size.join() === captured.whole.join() && captured.text === 'A. Agent 4711', captured.size.join('×'));
    report.holds(name, '… with the watermark all over it', captured.share > 0.01 && captured.share < 0.4 && captured.quarters >= 14, `${(100 * captured.share).toFixed(1)} % of its pixels, in ${captured.quarters} of 16 parts`);
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-zoom.png`), clip: { x: 0, y: 0, width: 640, height: 400 } });

    await page.evaluate(() => window.player.shadowRoot.querySelector('.picture').focus());
    await page.keyboard.press('0');
    report.holds(name, '0 shows all of it again', (await zoom(page)).scale === 1 && near(await drawn(), 1));
    await page.keyboard.press('+');
    await page.keyboard.press('ArrowRight');
    const keyed = await zoom(page);
    await page.keyboard.press('Escape');
    report.holds(name, 'keys: + makes it larger, arrows move it, Esc leaves it', near(keyed.scale, 1.5) && keyed.x > 0.55 && (await zoom(page)).scale === 1, `×${keyed.scale}, ${keyed.x}`);
    const bounds = await page.evaluate(() => {
      window.player.zoom = { scale: 99, x: -3, y: 0.5 };
      return new Promise((done) => setTimeout(() => done([window.zooms.at(-1), window.player.shadowRoot.querySelector('video').getBoundingClientRect().left - window.player.getBoundingClientRect().left]), 100));
    });
    report.holds(name, 'a page’s own zoom keeps within bounds', bounds[0].scale === 12 && Math.abs(bounds[1]) < 1 && (await zoom(page)).scale === 12, JSON.stringify(bounds[0]));
    await page.evaluate(() => (window.player.zoom = { scale: 1, x: 0.5, y: 0.5 }));
    if (name === 'Chromium') {
      // A pinch: two fingers, by the browser's own protocol.
      const session = await page.createCDPSession();
      const touch = (type, points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
      await touch('touchStart', [at(0.4, 0.5), at(0.6, 0.5)]);
      for (const by of [0.05, 0.1, 0.15, 0.2]) await touch('touchMove', [at(0.4 - by, 0.5), at(0.6 + by, 0.5)]);
      await touch('touchEnd', []);
      await sleep(100);
      const pinched = await zoom(page);
      report.holds(name, 'two fingers apart make it larger', pinched.scale > 2 && pinched.scale < 4, `×${pinched.scale.toFixed(2)}`);
      await session.detach();
    }
    const mended = await page.evaluate(async () => {
      const find = () => window.player.shadowRoot.querySelector('.watermark');
      const turn = () => new Promise((done) => setTimeout(done, 50));
      const found = [];
      find().remove();
      await turn();
      found.push(find() !== null);
      // What comes to lie over the video, as a straightened fisheye does, lies under the mark.
      const over = document.createElement('canvas');
      window.player.video.after(over);
      await turn();
      found.push(Boolean(over.compareDocumentPosition(find()) & Node.DOCUMENT_POSITION_FOLLOWING));
      over.remove();
      find().style.setProperty('display', 'none');
      find().hidden = true;
      await turn();
      found.push(getComputedStyle(find()).display !== 'none' && !find().hidden);
      const { data } = find().getContext('2d').getImageData(0, 0, find().width, find().height);
      found.push(data.some((value) => value > 0));
      return found;
    });
    report.holds(name, 'the watermark taken away comes back', mended.every(Boolean), mended.join());
    report.most(name, 'pictures shown before the watermark', await page.evaluate(() => window.bare), 0, '');
    // What moves, moves with a meaning: and not where the system asks for less.
    const moves = () => page.evaluate(() => window.__all(document).flatMap((node) => node.getAnimations()).filter(({ playState }) => playState === 'running').length);
    await page.evaluate(() => window.player.setAttribute('camera', 'none-such'));
    const moved = await until(async () => (await moves()) > 0, 3000, 20);
    report.holds(name, 'a tile that loads moves', !Number.isNaN(moved));
    await page.emulateMediaFeatures?.([{ name: 'prefers-reduced-motion', value: 'reduce' }]).catch(() => {});
    if (await page.evaluate(() => matchMedia('(prefers-reduced-motion: reduce)').matches)) {
      await page.evaluate(() => window.player.setAttribute('camera', 'none-such-either'));
      await sleep(200);
      report.most(name, 'moves where less motion is asked for', await moves(), 0, '');
    } else {
      console.log(`       ${name}: no way to ask it for less motion`);
    }
  }, SCRIPT, 'window.player?.seek');
}
