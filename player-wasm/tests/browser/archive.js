// The recording, otherwise than on and on: fast, backwards, again, several cameras at once; small pictures of it.

import { join as path } from 'node:path';
import { join, percentile, take } from './probe.js';
import { CLIP, sleep, until } from './shows.js';
import { KEY, on, playing, state } from './tile.js';

/** Seconds of recording that there must be to go back in. */
const RECORDED = 40;
/** Pictures from key picture to key picture of the film that the simulator plays. */
const GOP = 50;

/** Waits until there is something to go back in. */
async function recorded({ server, name }) {
  const left = server.began + (RECORDED + 10) * 1000 - Date.now();
  if (left <= 0) return;
  console.log(`       ${name}: waiting ${Math.ceil(left / 1000)} s for a recording to go back in`);
  await sleep(left);
}

/** The player goes to so many milliseconds ago and shows it. */
async function back(page, ago) {
  await page.evaluate((ms) => document.querySelector('vigie-player').seek((Date.now() - ms) * 1000), ago);
  return until(() => page.evaluate(() => document.querySelector('vigie-player').state === 'recorded'), 10_000, 50);
}

/** At a speed for a while: what was shown, and how fast that was. */
async function at(page, speed, ms, settle = 700) {
  await take(page);
  await page.evaluate((rate) => (document.querySelector('vigie-player').playbackRate = rate), speed);
  await sleep(settle);
  if (settle) await take(page);
  await sleep(ms / 2);
  const face = await page.evaluate(() => document.querySelector('vigie-player').shadowRoot.querySelector('.chip').textContent);
  await sleep(ms / 2);
  let seen = (await take(page))[KEY] ?? [];
  // Those before it took effect, and the last of the recording, which stays.
  if (!settle) seen = seen.filter(({ utc }, i) => i > 0 && Math.abs(utc - seen[i - 1].utc) > 1000).slice(1, -1);
  const [first, last] = [seen[0], seen.at(-1)];
  return { seen, real: seen.length > 1 ? (last.utc - first.utc) / (last.at - first.at) : NaN, face };
}

/**
 * Pictures that nobody sent, or not those told by their pixels: a frame's callback may find the pixels of one beside it, which
 * at a speed is so many pictures away.
 */
function wrong(seen, table, speed) {
  const known = new Set(table.map(({ loop, number }) => `${loop}:${number}`));
  return seen.filter(({ camera, number, told, loop }, i) => {
    const off = Math.abs(number - told);
    const near = Math.min(off, CLIP - off) <= Math.max(1, Math.min(4, speed));
    const beside = number === seen[i - 1]?.told || number === seen[i + 1]?.told;
    return camera !== 1 || !(near || beside) || !known.has(`${loop}:${told}`);
  });
}

/** Speeds, backwards, the last 30 s again. */
export async function speeds(context) {
  await recorded(context);
  await on(context, async ({ page, server, report, name, out }) => {
    await playing(page, 'balanced');
    const from = Date.now() - 60_000;
    const table = async () => server.table(KEY, from, Date.now());
    await back(page, 30_000);
    for (const speed of [0.25, 4]) {
      const { seen, real, face } = await at(page, speed, 2000);
      report.holds(name, `×${speed}: so fast, whole`, Math.abs(real / speed - 1) < 0.15, `×${real.toFixed(2)}, ${seen.length} pictures, “${face}”`);
      report.most(name, `×${speed}: wrong pictures`, wrong(seen, await table(), speed).length, Math.ceil(seen.length / 20), `of ${seen.length}`);
      if (speed === 0.25) await back(page, 30_000);
    }
    for (const speed of [-0.5, -1]) {
      await back(page, 8000);
      const { seen, real, face } = await at(page, speed, 5000);
      const falls = seen.every(({ utc }, i) => i === 0 || utc < seen[i - 1].utc);
      report.holds(name, `×${speed}: backwards, so fast`, falls && Math.abs(real / speed - 1) < 0.2 && /steps/.test(face), `×${real.toFixed(2)}, ${seen.length} pictures, “${face}”`);
      report.most(name, `×${speed}: wrong pictures`, wrong(seen, await table(), speed).length, Math.ceil(seen.length / 20), `of ${seen.length}`);
    }
    for (const speed of [32, -8]) {
      await back(page, speed > 0 ? 45_000 : 3000);
      // All of it: at 32 the recording is over in a moment.
      const { seen, real, face } = await at(page, speed, speed > 0 ? 1600 : 2500, speed > 0 ? 0 : 700);
      const keys = seen.every(({ told }) => told % GOP === 0);
      report.holds(name, `×${speed}: key pictures, and it says so`, keys && seen.length > 3 && /key pictures/.test(face), `${seen.length} pictures, “${face}”`);
      report.holds(name, `×${speed}: so fast`, Math.abs(real / speed - 1) < 0.25, `×${real.toFixed(1)}`);
      report.most(name, `×${speed}: wrong pictures`, wrong(seen, await table(), speed).length, Math.ceil(seen.length / 10), `of ${seen.length}`);
      if (speed < 0) await page.screenshot({ path: path(out, `${name.toLowerCase()}-backwards.png`) });
    }
    await page.evaluate(() => (document.querySelector('vigie-player').playbackRate = 1));
    await sleep(1500);
    const { seen, real } = await at(page, 1, 1500);
    report.holds(name, 'whole again at ×1', Math.abs(real - 1) < 0.15 && new Set(seen.map(({ told }) => told % GOP)).size > 20, `×${real.toFixed(2)}, ${seen.length} pictures`);
    await page.evaluate(() => document.querySelector('vigie-player').live());
    await until(async () => (await state(page)) === 'live', 8000);
    await page.evaluate(() => document.querySelector('vigie-player').replay());
    await until(async () => (await state(page)) === 'recorded', 8000);
    const ago = await page.evaluate(() => Date.now() - document.querySelector('vigie-player').picture.utc / 1000);
    report.holds(name, 'the last 30 s again', ago > 27_000 && ago < 33_000, `${(ago / 1000).toFixed(1)} s ago`);
    await sleep(2000);
    const renewed = await page.evaluate(async () => {
      const player = document.querySelector('vigie-player');
      const { currentTime: before, token } = player;
      player.token = 'other';
      player.token = token;
      await new Promise((done) => player.addEventListener('vigie-picture', done, { once: true }));
      return player.currentTime - before;
    });
    report.holds(name, 'another token: the recording goes on from where it was', renewed > -0.5 && renewed < 1, `${renewed.toFixed(2)} s on`);
  });
}

/** Cameras in step. */
export async function together(context) {
  const keys = ['annoeullin/mairie', 'annoeullin/place', 'provin/ecole'];
  await recorded(context);
  await on(context, async ({ page, server, report, name, out }) => {
    await page.evaluate(async (cameras) => {
      const { VigieSync } = await import('/player/index.js');
      document.querySelector('vigie-player')?.remove();
      const players = cameras.map((key) => {
        const player = document.createElement('vigie-player');
        const [tenant, camera] = key.split('/');
        for (const [name, value] of Object.entries({ tenant, camera, label: camera, clock: 'utc' })) player.setAttribute(name, value);
        for (const [name, value] of [['height', '260px'], ['width', '430px'], ['float', 'left']]) player.style.setProperty(name, value);
        player.token = new URLSearchParams(location.hash.slice(1)).get('token');
        document.body.append(player);
        window.__watch(key, player);
        return player;
      });
      window.sync = new VigieSync(players);
    }, keys);
    await until(() => page.evaluate(() => [...document.querySelectorAll('vigie-player')].every((player) => player.state === 'live')), 15_000);
    const there = await page.evaluate((ago) => window.sync.seek((Date.now() - ago) * 1000), 25_000);
    await page.evaluate(() => window.sync.play());
    await sleep(3000);
    await take(page);
    await sleep(5000);
    const seen = await take(page);
    // When each camera’s moments were on the screen, by the numbers in the pixels and the simulator’s table.
    const lags = [];
    for (const [i, key] of keys.entries()) {
      const from = Math.min(...seen[key].map(({ utc }) => utc)) - 5000;
      const pictures = join(seen[key], await server.table(key, from, from + 30_000)).filter(({ camera, sent }) => camera === i + 1 && sent);
      report.least(name, `${key}: pictures`, pictures.length, 60);
      lags.push(percentile(pictures.map((p) => p.at - p.sent), 0.5), percentile(pictures.map((p) => p.at - p.sent), 0.05), percentile(pictures.map((p) => p.at - p.sent), 0.95));
    }
    const medians = lags.filter((_, i) => i % 3 === 0);
    report.holds(name, 'all show the moment asked for', there === true);
    report.most(name, 'three cameras in step, by their barcodes', Math.max(...medians) - Math.min(...medians), 100, 'ms');
    // The lower ends and the upper ends: no picture of one is out of step with those of the others for long.
    for (const [which, what] of [[1, 'p5'], [2, 'p95']]) {
      const ends = lags.filter((_, i) => i % 3 === which);
      report.most(name, `… ${what} of each camera`, Math.max(...ends) - Math.min(...ends), 100, 'ms');
    }
    report.most(name, '… by its own account', (await page.evaluate(() => window.sync.spread)) ?? NaN, 100, 'ms');
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-together.png`) });
    await page.evaluate(() => window.sync.release());
  });
}

/** The desk's button that holds all cameras together, and a click on the timeline then. */
async function desk({ page, report, name }) {
  const now = () =>
    page.evaluate(() => {
      const wall = document.getElementById('wall');
      const shown = wall.cameras.map(({ tenant, id }) => wall.player(`${tenant}/${id}`)).filter(({ state }) => state !== 'cannot-play');
      const at = shown.map(({ picture, video }) => (picture?.utc ?? 0) / 1000 + (video.currentTime - (picture?.time ?? 0)) * 1000);
      return { states: [...new Set(shown.map(({ state }) => state))].join(), apart: Math.max(...at) - Math.min(...at), utc: at[0], count: shown.length };
    });
  await page.click('#together');
  const wait = await until(async () => (await now()).states === 'recorded', 12_000);
  await sleep(2500);
  const held = await now();
  report.holds(name, 'the desk: all cameras from one moment on', !Number.isNaN(wait) && held.count >= 3, `${held.count}, ${held.states}`);
  report.most(name, '… in step', held.apart, 100, 'ms');
  const point = await page.evaluate((key) => {
    const timeline = document.getElementById('timeline');
    return timeline.pointOf(timeline.now - 30e6, key);
  }, KEY);
  await page.mouse.click(point.x, point.y);
  await until(async () => (await now()).utc < held.utc - 5000 && (await now()).states === 'recorded', 10_000);
  await sleep(2500);
  const moved = await now();
  report.holds(name, 'a click on the timeline takes all of them along', moved.utc < held.utc && moved.states === 'recorded', `${Math.round(moved.utc - held.utc)} ms`);
  report.most(name, '… in step', moved.apart, 100, 'ms');
  await page.click('#live');
  const live = await until(async () => (await now()).states === 'live', 10_000);
  report.holds(name, 'and back to live, all', !Number.isNaN(live));
}

/** J K L on the timeline, from live. */
async function shuttle({ page, report, name }) {
  await page.evaluate((key) => {
    document.getElementById('wall').selected = key;
    document.getElementById('timeline').focus();
  }, KEY);
  const now = () => page.evaluate((key) => {
    const player = document.getElementById('wall').player(key);
    return { rate: player.playbackRate, utc: player.picture?.utc ?? 0, paused: player.paused, live: player.isLive, state: player.state };
  }, KEY);
  const way = async () => {
    const before = (await now()).utc;
    await sleep(1200);
    return ((await now()).utc - before) / 1.2e6;
  };
  await page.keyboard.press('j');
  await until(async () => (await now()).state === 'recorded', 12_000);
  await sleep(800);
  const back = [await way(), (await now()).rate];
  report.holds(name, 'J on the timeline: backwards from live', back[0] < -0.5 && back[1] === -1, `×${back[0].toFixed(2)}`);
  await page.keyboard.press('j');
  report.holds(name, 'J again: faster', (await now()).rate === -2);
  await page.keyboard.press('k');
  await sleep(300);
  report.holds(name, 'K: it stands', (await now()).paused && Math.abs(await way()) < 0.05);
  await page.keyboard.press('l');
  await sleep(1500);
  const on = [await way(), (await now()).rate];
  report.holds(name, 'L: forwards', on[0] > 0.5 && on[1] === 1, `×${on[0].toFixed(2)}`);
  await page.keyboard.press('j');
  await sleep(600);
  await page.evaluate(() => document.getElementById('live').click());
  await until(async () => (await now()).state === 'live', 8000);
  report.holds(name, 'from backwards to live', (await now()).live && (await now()).rate === 1 && (await way()) > 0.5);
}

/** The small picture above the timeline, on the desk. */
export async function preview(context) {
  await recorded(context);
  const { page, report, name, out, server } = context;
  const asked = [];
  const hear = (request) => request.url().includes('/api/picture/') && asked.push(request);
  page.on('request', hear);
  await page.evaluate(() => document.getElementById('live').click());
  const point = (ago) =>
    page.evaluate(
      ([key, ms]) => {
        const timeline = document.getElementById('timeline');
        return timeline.pointOf(timeline.now - ms * 1000, key);
      },
      [KEY, ago],
    );
  const [from, to] = [await point(30_000), await point(12_000)];
  const began = Date.now();
  await page.mouse.move(from.x, from.y);
  for (let n = 1; n <= 40; n += 1) await page.mouse.move(from.x + ((to.x - from.x) * n) / 40, from.y);
  const moved = Date.now() - began;
  const meant = Date.now() - 12_000;
  const shown = () =>
    page.evaluate(() => {
      const shot = document.getElementById('timeline').shadowRoot.querySelector('.shot');
      const image = shot.matches(':popover-open') ? shot.querySelector('canvas') : null;
      return image && { width: image.width, height: image.height, words: shot.textContent, box: shot.getBoundingClientRect().toJSON() };
    });
  const wait = await until(async () => (await shown()) !== null, 5000, 30);
  await sleep(400);
  const got = await shown();
  report.holds(name, 'a small picture above the pointer', !Number.isNaN(wait) && got !== null && got.width === 208, got ? `${got.width}×${got.height}, “${got.words}”, after ${Math.round(wait)} ms` : 'none');
  if (got) {
    const taken = Date.parse(`${new Date(meant).toISOString().slice(0, 11)}${got.words}Z`);
    report.most(name, '… of that moment', Math.abs(meant - taken) / 1000, 4, 's');
    report.holds(name, '… within the window', got.box.top >= 0 && got.box.left >= 0 && got.box.right <= 1440);
    const light = await page.evaluate(() => {
      const image = document.getElementById('timeline').shadowRoot.querySelector('.shot canvas');
      const { data } = image.getContext('2d').getImageData(0, 0, image.width, image.height);
      return new Set(Array.from({ length: data.length / 4 }, (_, i) => data[4 * i] >> 4)).size;
    });
    report.least(name, '… of more than one shade', light, 4);
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-preview.png`) });
  }
  report.most(name, 'requests for 40 moves, by how long they took', asked.length, Math.ceil(moved / 120) + 2, '');
  report.holds(name, 'the token is in the header, not in the address', asked.length > 0 && asked.every((request) => !request.url().includes(server.token)));
  await page.mouse.move(from.x, 200);
  await sleep(300);
  report.holds(name, 'gone with the pointer', (await shown()) === null);
  page.off('request', hear);
  await marks(context);
  await shuttle(context);
  await desk(context);
}

/** Alarms and holds that a page gives to the timeline: drawn, told under the pointer, reached by a key. */
async function marks({ page, report, name, out }) {
  const found = await page.evaluate(async (key) => {
    const given = document.getElementById('timeline');
    const timeline = document.createElement('vigie-timeline');
    timeline.style.setProperty('position', 'fixed');
    timeline.style.setProperty('inset', '60px 0 auto 0');
    timeline.style.setProperty('z-index', '9');
    document.body.append(timeline);
    const { now } = given;
    timeline.clock = 'utc';
    timeline.now = now;
    timeline.view = { from: now - 100e6, to: now + 5e6 };
    const row = { key, label: 'Mairie', ranges: [{ from: now - 95e6, to: now }], gaps: [] };
    timeline.rows = [row];
    timeline.selected = key;
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const drawn = () => timeline.shadowRoot.querySelector('canvas').toDataURL();
    await frame();
    const bare = drawn();
    timeline.rows = [{ ...row, holds: [{ from: now - 80e6, to: now - 50e6, label: 'case 2026-118' }] }];
    await frame();
    const held = drawn();
    timeline.rows = [{ ...row, holds: [{ from: now - 80e6, to: now - 50e6, label: 'case 2026-118' }], alarms: [{ from: now - 60e6, to: now - 58e6, label: 'intrusion' }] }];
    await frame();
    const both = drawn();
    const told = (ago) => {
      const { x, y } = timeline.pointOf(now - ago * 1e6, key);
      timeline.shadowRoot.querySelector('.track').dispatchEvent(new PointerEvent('pointermove', { clientX: x, clientY: y }));
      return timeline.shadowRoot.querySelector('.tip').textContent;
    };
    const asked = new Promise((done) => timeline.addEventListener('vigie-seek', ({ detail }) => done(detail.utc), { once: true }));
    timeline.live = false;
    timeline.position = now - 90e6;
    timeline.shadowRoot.querySelector('.track').dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }));
    return { all: new Set([bare, held, both]).size, words: [told(70), told(59), told(20)], key: (await asked) - (now - 61e6) };
  }, KEY);
  await page.screenshot({ path: path(out, `${name.toLowerCase()}-marks.png`) });
  report.holds(name, 'alarms and holds are drawn', found.all === 3);
  const [held, alarm, none] = found.words;
  report.holds(name, '… told under the pointer', /held: case 2026-118$/.test(held) && /alarm: intrusion · held/.test(alarm) && /recorded$/.test(none), alarm);
  report.holds(name, '… reached by a key', Math.abs(found.key) < 1e6, `${found.key} µs`);
  await page.evaluate(() => document.querySelector('body > vigie-timeline').remove());
}
