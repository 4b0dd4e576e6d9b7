// One tile on somebody else's page: how soon, how late, what it offers, and what goes wrong on the way.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join as path } from 'node:path';
import { install, join, percentile, take } from './probe.js';
import { CLIP, right, sleep, until } from './shows.js';
import { POLICY, portal } from './strict.js';

export const KEY = 'annoeullin/mairie';
const [TENANT, CAMERA] = KEY.split('/');
const ROUNDS = Number(process.env.VIGIE_ROUNDS ?? (process.env.VIGIE_LONG ? 20 : 5));
const STEPS = Number(process.env.VIGIE_STEPS ?? (process.env.VIGIE_LONG ? 250 : 20));
const OUTAGE = process.env.VIGIE_LONG ? 5000 : 3000;

const SCRIPT = `import '/player/index.js';
const token = new URLSearchParams(location.hash.slice(1)).get('token');
window.tile = (latency) => {
  document.querySelector('vigie-player')?.remove();
  const player = document.createElement('vigie-player');
  for (const [name, value] of Object.entries({ tenant: '${TENANT}', camera: '${CAMERA}', label: 'Mairie', clock: 'utc', latency })) player.setAttribute(name, value);
  player.style.setProperty('height', '400px');
  player.style.setProperty('width', '660px');
  player.token = token;
  return player;
};`;

/**
 * Opens a portal's page, runs `show` on it, closes it.
 * @param {string} [script]  Of the page, in place of the tile. @param {string} [ready]  What is there once it has run.
 * @param {string} [before]  What each of the player's scripts begins with.
 */
export async function on(context, show, script = SCRIPT, ready = 'window.tile', before = '') {
  const { browser, server } = context;
  const front = await portal(server.base, POLICY, script);
  front.faults.before = before;
  const page = await browser.newPage();
  try {
    await page.goto(`${front.base}/#token=${server.token}`);
    await page.waitForFunction(ready);
    await page.evaluate(install);
    await show({ ...context, page, front });
  } finally {
    await page.close();
    await front.stop();
  }
}

const NO_SERVER = `no server for ${OUTAGE / 1000} s`;
const NOTHING = `nothing comes for ${OUTAGE / 1000} s`;

/** A tile that shows moving pictures. */
export async function playing(page, latency) {
  await page.evaluate(
    ([how, key]) => {
      const player = window.tile(how);
      delete window.__seen[key];
      document.body.append(player);
      window.__watch(key, player);
    },
    [latency, KEY],
  );
  return until(() => page.evaluate(() => document.querySelector('vigie-player').state === 'live'), 15_000, 50);
}

export const state = (page) => page.evaluate(() => document.querySelector('vigie-player').state);
const stats = (page) => page.evaluate(() => document.querySelector('vigie-player').getStats());
const wrong = (seen) => seen.filter((picture) => !right(picture, KEY)).length;

/** From the element to its first picture, and how far behind the camera it stays. */
export async function latency(context) {
  await on(context, async ({ page, server, report, name }) => {
    const [firsts, sources] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const [ms, source] = await page.evaluate(
        () =>
          new Promise((done) => {
            const player = window.tile('low');
            const began = performance.now();
            player.addEventListener('vigie-picture', () => done([performance.now() - began, player.picture.source]), { once: true });
            setTimeout(done, 15_000, [NaN, '']);
            document.body.append(player);
          }),
      );
      firsts.push(ms);
      sources.push(source);
      // At another place of the GOP each time.
      await sleep(370);
    }
    const [cold] = firsts.splice(0, 1);
    report.holds(name, '(the first of all, with the player’s files to load)', cold > 0, `${Math.round(cold)} ms`);
    report.holds(name, 'each round has a first picture', firsts.every((ms) => ms > 0), firsts.map(Math.round).join(' '));
    report.holds(name, '… dated by the camera, wherever its GOP stood', sources.every((source) => source === 'sender-report'), [...new Set(sources)].join());
    report.most(name, 'from the element to its first picture, p95', percentile(firsts, 0.95), 300, 'ms');
    for (const [profile, most] of [['low', 250], ['balanced', 400]]) {
      await playing(page, profile);
      await sleep(4000);
      await take(page);
      const from = Date.now() - 10_000;
      await sleep(4000);
      const seen = join((await take(page))[KEY] ?? [], await server.table(KEY, from, Date.now()));
      report.holds(name, `${profile}: the right pictures`, seen.length > 40 && wrong(seen) / seen.length < 0.05, `${wrong(seen)} wrong of ${seen.length}`);
      const delays = seen.map(({ delay }) => delay).filter((ms) => !Number.isNaN(ms));
      report.most(name, `${profile}: live delay, p95`, percentile(delays, 0.95), most, 'ms');
      const { target, jumps, underruns } = await stats(page);
      report.note(name, `${profile}: (distance aimed at, jumps, ran dry)`, `${Math.round(target * 1000)} ms, ${jumps}, ${underruns}`);
    }
  });
}

/** What it offers to a page. */
export async function surface(context) {
  await on(context, async ({ page, report, name, out }) => {
    await page.evaluate(() => {
      window.__told = [];
      const types = ['loadedmetadata', 'playing', 'timeupdate', 'pause', 'play', 'seeking', 'seeked', 'ratechange'];
      document.addEventListener('playing', () => window.__told.push('bubbled'));
      const make = window.tile;
      window.tile = (how) => {
        const player = make(how);
        for (const type of types) player.addEventListener(type, () => window.__told.push(type));
        return player;
      };
    });
    await playing(page, 'balanced');
    // The time of arrival, until the camera's first report.
    await until(() => page.evaluate(() => document.querySelector('vigie-player').getWallClock()?.source === 'sender-report'), 10_000);
    const got = await page.evaluate(async () => {
      const player = document.querySelector('vigie-player');
      const clock = player.getWallClock();
      const shown = player.picture;
      const frame = await player.captureFrame();
      const image = await createImageBitmap(frame.blob);
      const small = await player.captureFrame({ type: 'image/jpeg', quality: 0.5 });
      player.pause();
      await player.play();
      return { clock, shown, type: frame.blob.type, name: frame.name, utc: frame.utc, state: frame.state, size: [image.width, image.height], told: [frame.width, frame.height], jpeg: small.blob.type, late: Date.now() * 1000 - clock.utc, time: player.currentTime };
    });
    report.holds(name, 'getWallClock: UTC, source, ± ms', got.clock.utc === got.shown.utc && got.clock.source === 'sender-report' && got.clock.plusMinusMs >= 0, `${got.clock.source} ± ${got.clock.plusMinusMs} ms`);
    report.holds(name, '… is now, in microseconds', Math.abs(got.late) < 20e6, `${Math.round(got.late / 1000)} ms ago`);
    report.holds(name, 'captureFrame: the picture and what is known of it', got.type === 'image/png' && got.size.join() === got.told.join() && got.size[0] > 0 && got.state === 'live' && got.jpeg === 'image/jpeg' && got.name.startsWith('annoeullin_mairie_2'), got.name);
    report.holds(name, 'currentTime is the picture’s UTC in seconds', Math.abs(got.time * 1e6 - got.clock.utc) < 5e6);
    await until(() => page.evaluate(() => document.querySelector('vigie-player').state === 'live'), 8000);
    await sleep(500);
    const events = await page.evaluate(() => window.__told);
    const missing = ['loadedmetadata', 'playing', 'timeupdate', 'pause', 'play'].filter((type) => !events.includes(type));
    report.holds(name, 'events as of HTMLMediaElement, none bubbles', missing.length === 0 && !events.includes('bubbled'), missing.join() || [...new Set(events)].join(' '));
    const french = await page.evaluate(async () => {
      document.documentElement.lang = 'fr';
      const player = document.querySelector('vigie-player');
      player.token = 'nobody';
      await new Promise((done) => setTimeout(done, 3000));
      return player.shadowRoot.querySelector('.plate').textContent;
    });
    report.holds(name, 'in French where the page is', /Accès refusé.*Le centre refuse/.test(french), french.slice(0, 60));
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-french.png`) });
  });
}

/** Each ends in a right picture or in a state with a name. */
export async function faults(context) {
  await on(context, async ({ page, front, report, name }) => {
    /** Live again, with pictures that are right; says after how long. */
    const back = async (what, most, least = 10) => {
      await take(page);
      const seen = [];
      const wait = await until(async () => {
        // What was shown under another word is for that word to answer for.
        const before = await state(page);
        const taken = (await take(page))[KEY] ?? [];
        if (before === 'live' && (await state(page)) === 'live') seen.push(...taken);
        else seen.length = 0;
        return seen.length >= least;
      }, 15_000, 50);
      report.holds(name, `${what}: live again`, !Number.isNaN(wait), `${Math.round(wait)} ms`);
      report.most(name, `${what}: wrong pictures`, wrong(seen), Math.ceil(seen.length / 20), `of ${seen.length}`);
      if (most) report.most(name, `${what}: delay 3 s after`, await sleep(Math.max(0, 3000 - wait)).then(() => page.evaluate(() => document.querySelector('vigie-player').delay)), most, 'ms');
    };
    /** By the end of it, what stands still is not called live. */
    const honest = async (what) => {
      const states = new Set();
      for (let n = 0; n < 10; n += 1) {
        await sleep(OUTAGE / 10);
        states.add(await state(page));
      }
      report.holds(name, `${what}: ends in a state with a name`, ['stale', 'no-signal', 'loading'].includes(await state(page)), [...states].join(' '));
    };
    await playing(page, 'low');

    front.drop();
    await back('connections dropped');

    front.faults.down = true;
    front.drop();
    await honest(NO_SERVER);
    front.faults.down = false;
    await back(NO_SERVER, 1000);

    front.hold(true);
    await honest(NOTHING);
    front.hold(false);
    await back(NOTHING, 1000);

    front.faults.lose = 6;
    const told = new Set();
    await until(async () => told.add(await state(page)) && front.faults.lose === 0, 5000, 20);
    await until(async () => ['damaged', 'stale'].some((word) => told.has(word)) || !told.add(await state(page)), 2500, 20);
    front.faults.lose = 0;
    // Withheld until the next key picture, or shown and called damaged: either is honest.
    report.holds(name, 'packets lost: it says so', front.faults.lost > 0 && (told.has('damaged') || told.has('stale')), `${front.faults.lost} lost: ${[...told].join(' ')}`);
    await back('packets lost');

    const token = await page.evaluate(() => {
      const player = document.querySelector('vigie-player');
      const { token: good } = player;
      player.token = 'expired';
      return good;
    });
    const refused = await until(async () => (await state(page)) === 'no-right', 8000, 50);
    report.holds(name, 'token expired: no right to see', !Number.isNaN(refused), await state(page));
    await page.evaluate((good) => (document.querySelector('vigie-player').token = good), token);
    await back('token renewed');

    // The browsers tell headless pages that they are visible: the page is told otherwise.
    const hide = (on) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, on);
    await hide(true);
    await sleep(6500);
    const { fragments } = await stats(page);
    await sleep(1500);
    report.most(name, 'hidden tab: fragments fed after 5 s', (await stats(page)).fragments - fragments, 0, '');
    await hide(false);
    await back('hidden tab', 1000);
    const { rebuilds, quota, rungs } = await stats(page);
    report.holds(name, '(media buffers made anew, quota errors, rungs)', quota === 0, `${rebuilds}, ${quota}, ${rungs}`);
  });
}

/** A picture stepped to is the one whose number was asked for. */
export async function stepping(context) {
  await on(context, async ({ page, server, report, name }) => {
    // So far back that there is enough to go on to.
    const ago = Math.max(8000, STEPS * 20);
    const left = server.began + ago + 12_000 - Date.now();
    if (left > 0) await sleep(left);
    await playing(page, 'balanced');
    await page.evaluate((ms) => document.querySelector('vigie-player').seek((Date.now() - ms) * 1000), ago);
    await until(() => page.evaluate(() => document.querySelector('vigie-player').state === 'recorded'), 10_000, 50);
    await sleep(1500);
    await page.evaluate(() => document.querySelector('vigie-player').pause());
    await sleep(500);
    const walk = (way, steps) =>
      page.evaluate(
        async ([by, count, clip]) => {
          const player = document.querySelector('vigie-player');
          const told = () => parseInt(player.picture.userData.find(({ uuid }) => uuid.startsWith('76696769')).hex.slice(8, 16), 16);
          const found = [];
          for (let n = 0; n < count; n += 1) {
            const before = told();
            // The simulator's film is played over and over.
            const asked = (before + by + clip) % clip;
            if (!(await player.step(by))) break;
            // The pixels are those of the element at rest.
            for (let turn = 0; turn < 50; turn += 1) {
              await new Promise((done) => setTimeout(done, 20));
              if (window.__read(player.video)[1] === asked) break;
            }
            found.push([asked, told(), window.__read(player.video)[1]]);
          }
          return found;
        },
        [way, steps, CLIP],
      );
    // Backwards over the start of what is buffered, and of more than one GOP.
    for (const [way, what, steps] of [[1, 'on', STEPS], [-1, 'back', STEPS + 60]]) {
      const found = await walk(way, steps);
      const off = found.filter(([asked, told, pixels]) => asked !== told || asked !== pixels);
      report.least(name, `steps ${what}`, found.length, steps);
      report.most(name, `steps ${what}: another picture than asked for`, off.length, 0, off[0] ? `(${off[0].join(', ')})` : '');
    }
  });
}

/** The wall: every camera within reach of the keys in every layout, and the stream that a tile's size asks for. */
export async function wall(context) {
  const script = `import '/player/index.js';
    window.wall = document.createElement('vigie-wall');
    window.wall.token = new URLSearchParams(location.hash.slice(1)).get('token');
    window.wall.setAttribute('clock', 'utc');
    document.body.append(window.wall);`;
  await on(context, async ({ page, report, name, out }) => {
    // Thirty cameras that the centre does not know but for the first two: tiles say so, and the keys reach them.
    await page.evaluate(() => {
      window.wall.cameras = Array.from({ length: 30 }, (_, i) => ({ tenant: 'annoeullin', id: ['mairie', 'place'][i] ?? `camera-${i}`, name: `Camera ${i + 1}` }));
    });
    for (const [layout, tiles] of [['1', 1], ['4', 4], ['9', 9], ['16', 16], ['25', 25], ['1+5', 6]]) {
      await page.evaluate((how) => window.wall.setAttribute('layout', how), layout);
      await page.evaluate(() => (window.wall.selected = 'annoeullin/mairie'));
      const reached = new Set();
      const most = [];
      for (let n = 0; n < 30; n += 1) {
        const [selected, shown, focused] = await page.evaluate(() => {
          const all = [...window.wall.shadowRoot.querySelectorAll('.tile')];
          return [window.wall.selected, all.length, all.filter((tile) => tile.getAttribute('aria-selected') === 'true').length];
        });
        reached.add(selected);
        most.push(shown);
        if (focused !== 1) reached.clear();
        await page.evaluate(() => window.wall.key(new KeyboardEvent('keydown', { key: 'ArrowRight' })));
      }
      report.holds(name, `layout ${layout}: arrows reach every camera`, reached.size === 30 && Math.max(...most) === tiles, `${reached.size} of 30, ${Math.max(...most)} tiles`);
    }
    // Whatever turns the page or divides it anew, the chosen camera is on it: else no key would reach the wall.
    const turns = await page.evaluate(() => {
      const { wall } = window;
      const chosen = () => [...wall.shadowRoot.querySelectorAll('.tile[aria-selected=true][tabindex="0"]')].length;
      wall.selected = 'annoeullin/camera-29';
      const found = [];
      for (const layout of ['4', '25', '9']) {
        wall.setAttribute('layout', layout);
        found.push(`${layout}: ${wall.page} ${chosen()}`);
      }
      wall.page = 0;
      found.push(`${wall.selected} ${chosen()}`);
      wall.enlarged = 'annoeullin/camera-29';
      found.push(`${wall.page} ${wall.shadowRoot.querySelectorAll('.tile.large').length}`);
      wall.enlarged = null;
      return found.join(', ');
    });
    report.holds(name, 'the chosen camera stays in sight', turns === '4: 7 1, 25: 1 1, 9: 3 1, annoeullin/mairie 1, 3 1', turns);
    await page.screenshot({ path: path(out, `${name.toLowerCase()}-wall.png`) });
    // One camera of two streams: the demo's second camera stands for the first one's smaller stream.
    const shows = (number) =>
      until(async () => {
        const [last] = ((await take(page))[KEY] ?? []).slice(-1);
        return last?.camera === number;
      }, 15_000);
    await page.evaluate(() => {
      window.wall.style.setProperty('width', '320px');
      window.wall.setAttribute('layout', '1');
      window.wall.cameras = [];
      window.wall.cameras = [{ tenant: 'annoeullin', id: 'mairie', sub: 'place' }];
    });
    const watch = () => page.evaluate((key) => {
      delete window.__seen[key];
      window.__watch(key, window.wall.player(key));
    }, KEY);
    await watch();
    report.holds(name, 'a small tile shows the smaller stream', !Number.isNaN(await shows(2)));
    const change = (width) =>
      page.evaluate(
        (to) =>
          new Promise((done) => {
            const states = [];
            const look = setInterval(() => states.push(window.wall.player('annoeullin/mairie').state), 20);
            window.wall.addEventListener('vigie-stream', () => setTimeout(() => (clearInterval(look), done(states)), 300), { once: true });
            setTimeout(done, 15_000, null);
            window.wall.style.setProperty('width', to);
          }),
        width,
      );
    for (const [width, number, what] of [['1200px', 1, 'a large tile the main one'], ['300px', 2, 'small again, the smaller one']]) {
      const states = await change(width);
      report.holds(name, `${what}, without a break`, states !== null && states.every((one) => one === 'live' || one === 'late'), states === null ? 'never' : [...new Set(states)].join(' '));
      await watch();
      report.holds(name, '… and its pictures', !Number.isNaN(await shows(number)));
    }
  }, script, 'window.wall?.player');
}

export const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** axe finds nothing: the desk, dark and light, its wall, timeline and tiles in English and French. */
export async function axe(context) {
  const { page, report, name } = context;
  await page.evaluate(AXE);
  for (const [theme, lang] of [['dark', 'en'], ['light', 'fr']]) {
    await page.evaluate(([look, language]) => {
      document.documentElement.lang = language;
      if (document.documentElement.dataset.theme !== look) document.getElementById('theme-button').click();
    }, [theme, lang]);
    await sleep(800);
    const found = await page.evaluate(async () => {
      const { violations, passes } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return { passes: passes.length, list: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.flat().join(' ')).slice(0, 3).join(', ')}`) };
    });
    report.most(name, `axe, ${theme}, ${lang}: violations`, found.list.length, 0, found.list.join('; ') || `of ${found.passes} rules that apply`);
  }
  await page.evaluate(() => {
    document.documentElement.lang = 'en';
    if (document.documentElement.dataset.theme === 'light') document.getElementById('theme-button').click();
  });
}
