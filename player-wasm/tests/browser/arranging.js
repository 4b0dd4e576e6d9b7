// The wall as an operator makes it: tiles moved by pointer and by keys, kept, in a second window, full screen.

import { install } from './probe.js';
import { sleep, until } from './shows.js';
import { leaks } from './strict.js';
import { AXE, on } from './tile.js';

const [MAIRIE, PLACE, ECOLE] = ['annoeullin/mairie', 'annoeullin/place', 'provin/ecole'];
const SCRIPT = `import '/player/index.js';
  const wall = (window.wall = document.createElement('vigie-wall'));
  wall.token = sessionStorage.token ?? new URLSearchParams(location.hash.slice(1)).get('token');
  sessionStorage.token = wall.token;
  for (const [name, value] of Object.entries({ clock: 'utc', name: 'test', zoomable: '' })) wall.setAttribute(name, value);
  wall.cameras = [['annoeullin', 'mairie'], ['annoeullin', 'place'], ['provin', 'ecole']].map(([tenant, id]) => ({ tenant, id }));
  document.body.append(wall);`;

const READY = 'window.wall?.player';

const order = (page) => page.evaluate(() => window.wall.order.join(' '));
/** As it stands on the screen. */
const seen = (page) => page.evaluate(() => [...window.wall.shadowRoot.querySelectorAll('vigie-player')].map((player) => `${player.getAttribute('tenant')}/${player.getAttribute('camera')}`).join(' '));
const middle = (page, key) =>
  page.evaluate((of) => {
    const { left, top, width, height } = window.wall.player(of).getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  }, key);
const said = (page) => page.evaluate(() => window.wall.shadowRoot.querySelector('.say').textContent);
/** Its picture, by its pixels, in whatever window it is. */
const shows = (page, key, number) =>
  until(() => page.evaluate(([of, camera]) => {
    const player = (window.wall ?? document.querySelector('vigie-wall'))?.player(of);
    return player?.state === 'live' && window.__read(player.video)[0] === camera;
  }, [key, number]), 15_000, 50);

export async function arranging(context) {
  await on(context, async ({ page, front, server, report, name }) => {
    await shows(page, MAIRIE, 1);
    const label = await page.evaluate(() => window.wall.shadowRoot.querySelector('[role=listbox]').getAttribute('aria-label'));
    report.holds(name, 'the wall has its name', label === 'Cameras', label);
    await page.evaluate(() => {
      window.changes = 0;
      window.wall.player('annoeullin/mairie').addEventListener('vigie-state', () => (window.changes += 1));
      window.wall.addEventListener('vigie-arrange', ({ detail }) => (window.told = detail));
    });
    const [from, to] = [await middle(page, MAIRIE), await middle(page, ECOLE)];
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(from[0] + 20, from[1] + 20, { steps: 4 });
    // What drags is loaded with the first press.
    await until(() => page.evaluate(() => window.wall.shadowRoot.querySelector('.moving') !== null), 3000, 30).then(() => page.mouse.move(...to, { steps: 5 }));
    const aimed = await page.evaluate(() => window.wall.shadowRoot.querySelectorAll('.target').length);
    await page.mouse.up();
    await sleep(100);
    const dragged = `${ECOLE} ${PLACE} ${MAIRIE}`;
    report.holds(name, 'a tile dragged onto another: they change places', aimed === 1 && (await order(page)) === dragged && (await seen(page)) === dragged, await order(page));
    report.holds(name, '… the page is told, and it is kept', await page.evaluate((want) => window.told?.order.join(' ') === want && window.told.kept === true && !window.wall.shadowRoot.querySelector('.moving, .target'), dragged));
    report.holds(name, '… and is said', /3 of 3/.test(await said(page)), await said(page));
    report.holds(name, '… without a break', (await page.evaluate(() => window.changes)) === 0 && !Number.isNaN(await shows(page, MAIRIE, 1)));

    const cancelled = [await middle(page, PLACE), await middle(page, ECOLE)];
    await page.mouse.move(...cancelled[0]);
    await page.mouse.down();
    await page.mouse.move(...cancelled[1], { steps: 6 });
    await page.keyboard.press('Escape');
    await page.mouse.up();
    report.holds(name, 'Escape ends a drag: nothing moved', (await order(page)) === dragged);

    if (name === 'Chromium') {
      // By finger: a quick one scrolls, one that stays takes the tile.
      const session = await page.createCDPSession();
      const touch = (type, points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
      const way = async (stay) => {
        const [start, finish] = [await middle(page, PLACE), await middle(page, ECOLE)];
        await touch('touchStart', [start]);
        await sleep(stay);
        for (const share of [0.2, 0.5, 0.8, 1]) await touch('touchMove', [[start[0] + share * (finish[0] - start[0]), start[1] + share * (finish[1] - start[1])]]);
        await touch('touchEnd', []);
        await sleep(100);
        return order(page);
      };
      const quick = await way(0);
      const stayed = await way(600);
      report.holds(name, 'a finger that stays takes the tile, a quick one does not', quick === dragged && stayed === `${PLACE} ${ECOLE} ${MAIRIE}`, stayed);
      await page.evaluate((keys) => (window.wall.order = keys), dragged.split(' '));
      await session.detach();
    }

    await page.evaluate((key) => (window.wall.selected = key), MAIRIE);
    await page.evaluate(() => window.wall.shadowRoot.querySelector('.tile[tabindex="0"]').focus());
    await page.keyboard.down('Shift');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.up('Shift');
    const keyed = `${ECOLE} ${MAIRIE} ${PLACE}`;
    const focused = await page.evaluate(() => window.wall.shadowRoot.activeElement?.querySelector('vigie-player').getAttribute('camera'));
    report.holds(name, 'Shift with an arrow does the same, and keeps the focus', (await order(page)) === keyed && focused === 'mairie', `${await order(page)}, ${focused}`);

    await page.evaluate(() => window.wall.setAttribute('layout', 'aab aac'));
    const areas = await page.evaluate(() => [...window.wall.shadowRoot.querySelectorAll('.tile')].map((tile) => Math.round(tile.clientWidth / 100)));
    report.holds(name, 'a drawn layout: a large tile and two small', areas.length === 3 && areas[0] > 1.7 * areas[1] && areas[1] === areas[2], areas.join(' '));
    await page.goto(front.base);
    await page.waitForFunction(READY);
    await page.evaluate(install);
    // Tiles start one after the other.
    const stands = await until(async () => (await seen(page)) === keyed, 3000);
    report.holds(name, 'opened again: layout and order as they were left', (await order(page)) === keyed && !Number.isNaN(stands) && (await page.evaluate(() => window.wall.getAttribute('layout'))) === 'aab aac', await order(page));
    const survived = await page.evaluate(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
      let kept = null;
      window.wall.addEventListener('vigie-arrange', ({ detail }) => (kept = detail.kept), { once: true });
      window.wall.swap('provin/ecole', 'annoeullin/place');
      return [kept, window.wall.order[0]];
    });
    report.holds(name, 'no room to keep it: it moves all the same, and says so', survived[0] === false && survived[1] === PLACE, survived.join());

    // A browser that opens no window.
    const blocked = await page.evaluate(() => {
      const { open } = window;
      window.open = () => null;
      let detail = null;
      window.wall.addEventListener('vigie-window', (event) => (detail = event.detail), { once: true });
      const opened = window.wall.openWindow();
      window.open = open;
      return [opened, detail?.blocked, detail?.open];
    });
    report.holds(name, 'a second window that the browser blocks is said', blocked.join() === 'false,true,false' && /pop-up/.test(await said(page)), blocked.join());
    await page.evaluate((key) => {
      window.wall.selected = key;
      window.wall.shadowRoot.querySelector('.tile[tabindex="0"]').focus();
    }, MAIRIE);
    const popup = new Promise((done) => page.once('popup', done));
    await page.keyboard.press('w');
    const second = await Promise.race([popup, sleep(8000).then(() => null)]);
    report.holds(name, 'W opens a second window', second !== null);
    if (second) {
      await until(async () => (await seen(page)) === `${PLACE} ${ECOLE}`, 8000);
      await second.evaluate(install);
      report.holds(name, '… the camera is there, and moves', !Number.isNaN(await shows(second, MAIRIE, 1)) && (await seen(page)) === `${PLACE} ${ECOLE}`, await seen(page));
      const chosen = await page.evaluate((key) => {
        const before = window.wall.selected;
        window.wall.selected = key;
        return [window.wall.away.join(), window.wall.selected === before];
      }, MAIRIE);
      report.holds(name, '… its tile cannot be chosen here meanwhile', chosen[0] === MAIRIE && chosen[1] === true, chosen.join());
      await second.evaluate(AXE);
      const breaches = await second.evaluate(async () => (await window.axe.run(document)).violations.map(({ id, nodes }) => `${id}: ${nodes[0].target.flat().join(' ')}`));
      report.most(name, '… axe, in it: violations', breaches.length, 0, breaches.join('; '));
      // This page's storage is for the test alone, and a window that it opens begins with a copy.
      const found = (await leaks(second, server.token)).filter((place) => place !== 'storage');
      report.holds(name, '… its token stands in no address, nor in the markup', found.length === 0, found.join() || 'yes');
      await page.evaluate(() => (window.wall.token = 'other'));
      const renewed = await until(() => second.evaluate(() => document.querySelector('vigie-wall').token === 'other'), 3000);
      report.holds(name, '… another token reaches it', !Number.isNaN(renewed));
      await page.evaluate(() => (window.wall.token = sessionStorage.token));
      await second.close();
      const back = await until(async () => (await seen(page)).includes(MAIRIE), 5000);
      report.holds(name, '… closed, the camera comes back', !Number.isNaN(back) && !Number.isNaN(await shows(page, MAIRIE, 1)), await seen(page));
    }

    await page.evaluate(() => window.wall.shadowRoot.querySelector('.tile[tabindex="0"]').focus());
    await page.keyboard.press('f');
    const full = await until(() => page.evaluate(() => document.fullscreenElement === window.wall), 3000);
    await page.keyboard.press('f');
    const small = await until(() => page.evaluate(() => document.fullscreenElement === null), 3000);
    report.holds(name, 'F: full screen, and back', !Number.isNaN(full) && !Number.isNaN(small));
    const none = await page.evaluate(async () => {
      window.wall.requestFullscreen = () => Promise.reject(new TypeError('not here'));
      await window.wall.toggleFullscreen();
      return window.wall.shadowRoot.querySelector('.say').textContent;
    });
    report.holds(name, '… where there is none it says so', /full screen/.test(none), none);

    const closer = await page.evaluate(async () => {
      const { wall } = window;
      const press = (key) => wall.key(new KeyboardEvent('keydown', { key }));
      const player = wall.player(wall.selected);
      const before = wall.selected;
      const found = [press('+') && player.zoom.scale > 1, press('ArrowRight') && player.zoom.x > 0.5 && wall.selected === before];
      found.push(press('Escape') && player.zoom.scale === 1, press('ArrowRight') && wall.selected !== before);
      return found;
    });
    report.holds(name, 'a tile of the wall: + zooms, arrows move the picture until Esc', closer.every(Boolean), closer.join());

    // Without dragging: one click takes it, another gives it its place.
    const clicked = await page.evaluate(async () => {
      const { wall } = window;
      wall.setAttribute('arranging', '');
      const [first, , third] = wall.order;
      for (const key of [first, third]) wall.player(key).click();
      const found = [wall.order[0] === third && wall.order[2] === first, wall.shadowRoot.querySelector('.moving') === null];
      wall.removeAttribute('arranging');
      wall.player(first).click();
      wall.player(third).click();
      return [...found, wall.order[0] === third && wall.selected === third];
    });
    report.holds(name, 'arranging by clicks alone', clicked.every(Boolean), clicked.join());

    // The same cameras by other names: the tiles stay and say them.
    const renamed = await page.evaluate(() => {
      const { wall } = window;
      const [before, [first, ...rest]] = [wall.player('annoeullin/place'), wall.cameras];
      wall.cameras = [first, ...rest.map((camera) => ({ ...camera, name: 'Grand-Place', number: 7 }))];
      const after = wall.player('annoeullin/place');
      return [after === before, after.getAttribute('label') === 'Grand-Place', after.getAttribute('number') === '7', wall.player('annoeullin/mairie').getAttribute('label') === 'mairie'];
    });
    report.holds(name, 'a camera by another name: its tile stays and says it', renamed.every(Boolean), renamed.join());

    // Right to left: the first tile stands on the right, and the left arrow goes on.
    const rtl = await page.evaluate(() => {
      document.documentElement.dir = 'rtl';
      window.wall.removeAttribute('layout');
      const tiles = [...window.wall.shadowRoot.querySelectorAll('.tile')].map((tile) => tile.getBoundingClientRect().left);
      window.wall.selected = window.wall.order[0];
      window.wall.key(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
      return [tiles[0] > tiles[1], window.wall.order.indexOf(window.wall.selected)];
    });
    report.holds(name, 'right to left: tiles and arrows are mirrored', rtl[0] === true && rtl[1] === 1, rtl.join());
  }, SCRIPT, READY);
}
