// What turns a camera, and what straightens a fisheye's picture.

import { join as path } from 'node:path';
import { USUAL, project, ray } from '../../js/dewarp-map.js';
import { sleep, until } from './shows.js';
import { AXE, on, playing } from './tile.js';

/** <vigie-ptz> by pointer, keys and gamepad: it moves, keeps its rate, and stops whatever happens. */
export async function ptz(context) {
  await on(context, async ({ page, report, name, out }) => {
    await page.evaluate(async () => {
      await import('/player/index.js');
      window.pads = [];
      Object.defineProperty(navigator, 'getGamepads', { configurable: true, value: () => window.pads });
      const element = document.createElement('vigie-ptz');
      element.setAttribute('gamepad', '');
      window.told = [];
      element.addEventListener('vigie-ptz', ({ detail }) => window.told.push({ ...detail, at: performance.now() }));
      element.addEventListener('pointerdown', ({ pointerId }) => (window.pointer = pointerId));
      document.body.append(element);
    });
    const told = () => page.evaluate(() => window.told.splice(0));
    const box = await page.evaluate(() => document.querySelector('vigie-ptz').shadowRoot.querySelector('.pad').getBoundingClientRect().toJSON());
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const stopped = (list, reason) => list.length > 0 && ['pan', 'tilt', 'zoom'].every((axis) => list.at(-1)[axis] === 0) && list.at(-1).reason === reason;

    await page.mouse.move(x, y);
    await page.mouse.down();
    for (let n = 0; n <= 60; n += 1) {
      await page.mouse.move(x + 15 + n / 2, y - 10);
      await sleep(16);
    }
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-ptz.png`) });
    await page.mouse.up();
    const dragged = await told();
    const moves = dragged.slice(0, -1);
    report.holds(name, 'dragging turns it, right and up', moves.length > 3 && moves.every(({ pan, tilt }) => pan > 0 && tilt > 0 && pan <= 1), `${moves.length} events`);
    const gaps = moves.slice(1).map(({ at }, i) => at - moves[i].at);
    report.least(name, '… no two within', Math.round(Math.min(...gaps)), 95, 'ms');
    report.holds(name, '… let go, it stops at once', stopped(dragged, 'hand'), JSON.stringify(dragged.at(-1)?.reason));

    await page.mouse.down();
    await page.mouse.move(x + 40, y);
    await sleep(150);
    await page.evaluate(() => {
      const pad = document.querySelector('vigie-ptz').shadowRoot.querySelector('.pad');
      pad.dispatchEvent(new PointerEvent('pointercancel', { pointerId: window.pointer }));
    });
    report.holds(name, 'the pointer is lost: it stops', stopped(await told(), 'pointer'));
    await page.mouse.up();
    await told();

    await page.evaluate(() => document.querySelector('vigie-ptz').shadowRoot.querySelector('.pad').focus());
    await page.keyboard.down('ArrowLeft');
    await sleep(1000);
    const held = await told();
    report.holds(name, 'a key held turns it on and on', held.length >= 2 && held.length <= 5 && held.every(({ pan }) => pan === -0.5), `${held.length} events in 1 s`);
    await page.evaluate(() => window.dispatchEvent(new Event('blur')));
    report.holds(name, 'the window loses the focus: it stops', stopped(await told(), 'blur'));
    await page.keyboard.up('ArrowLeft');
    await page.keyboard.down('ArrowUp');
    await sleep(120);
    await page.keyboard.up('ArrowUp');
    report.holds(name, 'a key let go: it stops', stopped(await told(), 'hand'));

    const shifted = await page.evaluate(async () => {
      const element = document.querySelector('vigie-ptz');
      const pad = element.shadowRoot.querySelector('.pad');
      const key = (type, init) => pad.dispatchEvent(new KeyboardEvent(type, init));
      key('keydown', { key: '+', code: 'Equal', shiftKey: true });
      // Not more than ten times a second is anything told.
      await new Promise((done) => setTimeout(done, 150));
      const { zoom } = element.velocity;
      key('keyup', { key: 'Shift', code: 'ShiftLeft' });
      key('keyup', { key: '=', code: 'Equal' });
      return [zoom > 0, element.velocity.zoom === 0];
    });
    report.holds(name, 'Shift is let go before the + is: it stops all the same', shifted.join() === 'true,true' && stopped(await told(), 'hand'), shifted.join());

    const stick = (value) =>
      page.evaluate((pan) => {
        window.pads = [{ index: 0, connected: true, axes: [pan, 0, 0, 0], buttons: [] }];
        const event = new Event('gamepadconnected');
        window.dispatchEvent(event);
      }, value);
    await stick(0.9);
    await sleep(300);
    report.most(name, 'a gamepad that lies on its stick moves nothing', (await told()).length, 0, '');
    await stick(0.05);
    await sleep(150);
    await stick(0.9);
    await sleep(300);
    const pushed = await told();
    report.holds(name, 'a stick turns it, after it was at rest', pushed.length > 0 && pushed.every(({ pan }) => pan > 0.5), `pan ${pushed[0]?.pan}`);
    await page.evaluate(() => {
      window.pads = [];
      const event = new Event('gamepaddisconnected');
      Object.defineProperty(event, 'gamepad', { value: { index: 0 } });
      window.dispatchEvent(event);
    });
    report.holds(name, 'the gamepad is gone: it stops', stopped(await told(), 'gamepad'));
    const french = await page.evaluate(async () => {
      const before = document.querySelector('vigie-ptz');
      document.documentElement.lang = 'fr';
      before.remove();
      document.body.append(before);
      await new Promise((done) => setTimeout(done, 500));
      return before.shadowRoot.querySelector('.pad').getAttribute('aria-label');
    });
    report.holds(name, 'in French where the page is', /^Orienter/.test(french), french);
    await page.evaluate(AXE);
    const found = await page.evaluate(async () => {
      const { violations } = await window.axe.run('vigie-ptz', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
      return violations.map(({ id }) => id);
    });
    report.most(name, 'axe, the pad: violations', found.length, 0, found.join());
  });
}

/** The mapping in the shader is the one of dewarp-map.js; live and recorded pictures go through it. */
export async function dewarp(context) {
  await on(context, async ({ page, report, name, out }) => {
    const [width, height] = [240, 160];
    const cases = [
      [{ pan: 0, tilt: -45, angle: 60 }, {}],
      [{ pan: 130, tilt: -70, angle: 90 }, { lens: 'equisolid' }],
      [{ pan: 70, tilt: 10, angle: 60 }, { mount: 'wall', lens: 'stereographic', x: 0.45, y: 0.55, radius: 0.4 }],
      [{ pan: -80, tilt: 40, angle: 70 }, { mount: 'floor', angle: 190 }],
    ];
    // A picture whose colours say where they are, in place of a camera's.
    const drawn = await page.evaluate(
      async ([list, w, h]) => {
        const { FISHEYE, Straightener } = await import('/player/dewarp.js');
        const source = document.createElement('canvas');
        source.width = source.height = 256;
        const paint = source.getContext('2d');
        const image = paint.createImageData(256, 256);
        for (let i = 0; i < 256 * 256; i += 1) image.data.set([i % 256, i >> 8, 200, 255], 4 * i);
        paint.putImageData(image, 0, 0);
        const canvas = document.createElement('canvas');
        canvas.width = w;
        canvas.height = h;
        let straightener;
        try {
          straightener = new Straightener(canvas);
        } catch (error) {
          return error.message;
        }
        straightener.take(source);
        const read = document.createElement('canvas');
        read.width = w;
        read.height = h;
        const pen = read.getContext('2d', { willReadFrequently: true });
        return list.map(([view, how]) => {
          straightener.draw(view, { ...FISHEYE, ...how }, 1);
          pen.drawImage(canvas, 0, 0);
          return [...pen.getImageData(0, 0, w, h).data];
        });
      },
      [cases, width, height],
    );
    if (!Array.isArray(drawn)) {
      // Firefox without a screen has none.
      await playing(page, 'balanced');
      const left = await page.evaluate(async () => {
        const { VigieDewarp } = await import('/player/dewarp.js');
        const player = document.querySelector('vigie-player');
        try {
          new VigieDewarp(player);
        } catch (error) {
          return `${error.message}, ${player.shadowRoot.querySelectorAll('canvas').length}, ${player.state}`;
        }
      });
      report.holds(name, 'no WebGL 2: it says so, and leaves the picture', name !== 'Chromium' && left === 'this browser has no WebGL 2, 0, live', left);
      return;
    }
    for (const [i, [view, how]] of cases.entries()) {
      let [most, within, outside, wrong] = [0, 0, 0, 0];
      for (let y = 0; y < height; y += 3) {
        for (let x = 0; x < width; x += 3) {
          const at = project(ray(view, ((x + 0.5) / width) * 2 - 1, 1 - ((y + 0.5) / height) * 2, width / height), { ...USUAL, ...how }, 1);
          const [r, g, b] = drawn[i].slice(4 * (y * width + x), 4 * (y * width + x) + 3);
          if (!at) {
            outside += 1;
            if (b > 20) wrong += 1;
          } else if (at.x > 0.01 && at.x < 0.99 && at.y > 0.01 && at.y < 0.99) {
            within += 1;
            if (b < 100) wrong += 1;
            else most = Math.max(most, Math.abs(r - (at.x * 256 - 0.5)), Math.abs(g - (at.y * 256 - 0.5)));
          }
        }
      }
      report.most(name, `${how.mount ?? 'ceiling'}, ${how.lens ?? 'equidistant'}: off by`, most, 1.5, `of 256 pixels, ${within} points`);
      // At the very edge of the circle the two may round apart.
      report.most(name, '… taken for inside or outside wrongly', wrong, 4, `of ${within + outside}`);
    }
    await playing(page, 'balanced');
    await page.evaluate(async () => {
      const { VigieDewarp } = await import('/player/dewarp.js');
      window.dewarp = new VigieDewarp(document.querySelector('vigie-player'), { mount: 'wall', angle: 180, radius: 0.85 });
      window.dewarp.view = { pan: 0, tilt: 0, angle: 70 };
    });
    const look = () =>
      page.evaluate(() => {
        const canvas = document.querySelector('vigie-player').shadowRoot.querySelector('canvas.straight');
        const small = document.createElement('canvas');
        small.width = 64;
        small.height = 36;
        const pen = small.getContext('2d');
        pen.drawImage(canvas, 0, 0, 64, 36);
        return [...pen.getImageData(0, 0, 64, 36).data];
      });
    const apart = (a, b) => a.filter((value, i) => Math.abs(value - b[i]) > 12).length;
    await sleep(600);
    const first = await look();
    report.least(name, 'live: shades in the straightened picture', new Set(first.map((value) => value >> 4)).size, 5);
    await sleep(1200);
    report.least(name, '… it goes on', apart(first, await look()), 1, 'values differ');
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-dewarp.png`) });
    await page.evaluate(() => document.querySelector('vigie-player').pause());
    await sleep(400);
    const still = await look();
    await page.evaluate(() => window.dewarp.drive({ pan: 0.8, tilt: 0, zoom: 0.3 }));
    await sleep(500);
    await page.evaluate(() => window.dewarp.drive({ pan: 0, tilt: 0, zoom: 0 }));
    const view = await page.evaluate(() => window.dewarp.view);
    report.holds(name, 'driven like a camera, paused', view.pan > 5 && view.angle < 70 && apart(still, await look()) > 100, `pan ${view.pan.toFixed(0)}°, angle ${view.angle.toFixed(0)}°`);
    await page.evaluate(() => document.querySelector('vigie-player').seek((Date.now() - 5000) * 1000));
    await until(() => page.evaluate(() => !document.querySelector('vigie-player').seeking), 8000);
    await page.evaluate(() => void document.querySelector('vigie-player').play());
    await sleep(600);
    const recorded = await look();
    await sleep(800);
    report.least(name, 'recorded: it goes on', apart(recorded, await look()), 1, 'values differ');
    const gone = await page.evaluate(() => {
      window.dewarp.close();
      return document.querySelector('vigie-player').shadowRoot.querySelector('canvas.straight') === null;
    });
    report.holds(name, 'closed: the picture as it is', gone);
  });
}
