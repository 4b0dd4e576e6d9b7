// What is to be shown, one after the other, on one open desk.

import http from 'node:http';
import { join as path } from 'node:path';
import { install, join, percentile, states, take } from './probe.js';
import { POLICY, leaks, portal, stranger } from './strict.js';

const seconds = (name, or) => Number(process.env[name] ?? or) * 1000;
export const LIVE = seconds('VIGIE_LIVE', 20);
export const BACK = seconds('VIGIE_BACK', 120);
export const OUTAGE = seconds('VIGIE_OUTAGE', 30);

/** One picture at 25/s, and a millisecond that RFC 3339 with milliseconds may hide. */
const PICTURE = 41;
const KEYS = ['annoeullin/mairie', 'annoeullin/place', 'provin/ecole', 'provin/gare'];
const H265 = 'provin/gare';

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until `test` holds, and says after how many milliseconds; NaN: never. */
export async function until(test, most, step = 100) {
  const began = Date.now();
  while (Date.now() - began < most) {
    if (await test()) return Date.now() - began;
    await sleep(step);
  }
  return NaN;
}

const shot = ({ page, out, name }, what) => page.screenshot({ path: path(out, `${name.toLowerCase()}-${what}.png`) });
const playable = ({ h265 }) => KEYS.filter((key) => h265 || key !== H265);

/** A clip's pictures: after the last comes the first. */
export const CLIP = 1500;

/**
 * The right camera, and the picture that the player speaks of or its neighbour: the pixels read in a frame's callback are
 * those of the frame before in Firefox, and can be those of the next one in Chromium (WICG, video-rvfc #59).
 */
export function right({ camera, number, told }, key) {
  return camera === KEYS.indexOf(key) + 1 && [0, 1, CLIP - 1].includes(Math.abs(number - told));
}

/** Pictures of the right camera whose numbers change. */
function moving(seen, key) {
  const good = (seen[key] ?? []).filter(({ camera }) => camera === KEYS.indexOf(key) + 1);
  return new Set(good.map(({ number }) => number)).size;
}

/** From the server's start to moving pictures in every tile that can have them. */
export async function start(context) {
  const { page, server, report, name, h265 } = context;
  // The desk remembers how it looks: in this run, in UTC.
  await page.goto(server.address);
  await page.evaluate(() => document.querySelector('vigie-wall').setAttribute('clock', 'utc'));
  await page.evaluate(install);
  const all = {};
  const gather = async () => {
    for (const [key, list] of Object.entries(await take(page))) (all[key] ??= []).push(...list);
    return playable(context).every((key) => moving(all, key) >= 5);
  };
  await until(gather, 30_000);
  const moved = playable(context).filter((key) => moving(all, key) >= 5).length;
  report.least(name, 'moving pictures', moved, h265 ? 4 : 3);
  report.most(name, 'from the server’s start to all of them', (Date.now() - server.began) / 1000, 10, 's');
  if (!h265) {
    const tile = (await states(page)).find(({ key }) => key === H265);
    report.holds(name, 'the H.265 tile says so by name', tile.state === 'cannot-play' && /H\.265/.test(tile.text), tile.state);
    report.holds(name, '… and what would work', /Firefox/.test(tile.text) && /H\.264/.test(tile.text));
  }
}

/** Every picture right, delay, and the time shown. */
export async function live(context) {
  const { page, server, report, name } = context;
  await sleep(4000);
  await take(page);
  await shot(context, 'live');
  const from = Date.now() - 10_000;
  await sleep(LIVE);
  const seen = await take(page);
  const delays = [];
  let [wrong, same, unknown, shown, back] = [0, 0, 0, 0, 0];
  let [off, faceOff] = [0, 0];
  for (const key of playable(context)) {
    const table = await server.table(key, from, Date.now());
    const pictures = join(seen[key], table);
    shown += pictures.length;
    wrong += pictures.filter((p) => !right(p, key)).length;
    same += pictures.filter(({ number, told }) => number === told).length;
    unknown += pictures.filter(({ sent }) => sent === undefined).length;
    back += pictures.filter(({ sent }, i) => sent < pictures[i - 1]?.sent).length;
    const known = pictures.filter(({ sent }) => sent !== undefined);
    delays.push(...known.map(({ delay }) => delay));
    off = Math.max(off, percentile(known.map((p) => Math.abs(p.off)), 0.99));
    faceOff = Math.max(faceOff, percentile(known.map((p) => Math.abs(p.faceOff)), 0.99));
    if (process.env.VIGIE_VERBOSE) console.log(key, pictures.length, wrong, unknown, back, off, faceOff, percentile(known.map((p) => p.delay), 0.95));
  }
  const expected = (LIVE / 40) * playable(context).length;
  report.least(name, 'pictures read from pixels, of those sent', Math.round((100 * shown) / expected), 60, '%');
  // Another program may take the processor between a picture and its reading.
  report.most(name, 'wrong or unreadable pictures', (100 * wrong) / shown, 1, '%');
  report.note(name, '(pixels of the very picture told, else a neighbour)', `${Math.floor((100 * same) / shown)} %`);
  report.most(name, 'pictures that nobody sent', unknown, 0, '');
  report.most(name, 'pictures that went back in time', back, 0, '');
  const stats = (await states(page)).filter(({ key }) => playable(context).includes(key)).map((tile) => tile.stats);
  report.most(name, 'media buffers made anew, quota errors', stats.reduce((n, { rebuilds, quota }) => n + rebuilds + quota, 0), 0, '');
  report.most(name, 'seconds buffered ahead of the playhead', Math.max(...stats.map(({ ahead }) => ahead)), 4, 's');
  report.most(name, 'live delay, median', percentile(delays, 0.5), 1000, 'ms');
  report.most(name, 'live delay, p95', percentile(delays, 0.95), 1000, 'ms');
  report.most(name, 'UTC of the picture off the table’s, p99', off, PICTURE, 'ms');
  report.most(name, 'UTC written on the tile off the table’s, p99', faceOff, PICTURE, 'ms');
}

/** The desk without a mouse. */
export async function keyboard(context) {
  const { page, report, name } = context;
  const at = () => page.evaluate(() => ({ selected: document.querySelector('vigie-wall').selected, large: document.querySelector('vigie-wall').enlarged }));
  await page.keyboard.press('3');
  const third = (await at()).selected;
  await page.keyboard.press('ArrowUp');
  const first = (await at()).selected;
  report.holds(name, 'keys 3 and ↑ choose cameras', third === KEYS[2] && first === KEYS[0], `${third}, ${first}`);
  await page.keyboard.press('Enter');
  const large = (await at()).large;
  await sleep(300);
  await shot(context, 'enlarged');
  await page.keyboard.press('Escape');
  report.holds(name, 'Enter enlarges, Esc goes back', large === KEYS[0] && (await at()).large === null);
  await page.keyboard.press(' ');
  await until(async () => (await states(page))[0].state === 'paused', 2000);
  await sleep(600);
  await take(page);
  await sleep(1000);
  const still = (await take(page))[KEYS[0]]?.length ?? 0;
  report.most(name, 'pictures shown in 1 s while paused', still, 0, '');
  await page.keyboard.press(' ');
  const back = await until(async () => (await states(page))[0].state === 'live', 8000);
  report.most(name, 'from pause to live', back, 3000, 'ms');
  await page.keyboard.press('?');
  const help = await page.evaluate(() => document.querySelector('dialog').open);
  await sleep(150);
  await shot(context, 'keys');
  await page.keyboard.press('Escape');
  report.holds(name, '? shows the keys', help);
}

/** A click on the timeline plays that moment. */
export async function recorded(context) {
  const { page, server, report, name } = context;
  const key = KEYS[2];
  const left = server.began + BACK + 12_000 - Date.now();
  if (left > 0) {
    console.log(`       ${name}: waiting ${Math.ceil(left / 1000)} s for a recording to go back in`);
    await sleep(left);
  }
  // The centre must have told what it recorded by then.
  await page.evaluate(() => {
    document.getElementById('timeline').addEventListener('vigie-seek', ({ detail }) => (window.__asked = detail));
  });
  const point = await page.evaluate(
    ([row, ago]) => {
      const timeline = document.getElementById('timeline');
      return timeline.pointOf(timeline.now - ago * 1000, row);
    },
    [key, BACK],
  );
  await take(page);
  await page.mouse.click(point.x, point.y);
  const clicked = Date.now();
  const asked = await page.evaluate(() => window.__asked);
  const seen = [];
  const wait = await until(async () => {
    seen.push(...((await take(page))[key] ?? []).filter((picture) => !picture.live));
    return seen.length >= 5;
  }, 10_000);
  report.most(name, 'from the click to a picture of that moment', wait, 3000, 'ms');
  await sleep(3000);
  seen.push(...((await take(page))[key] ?? []).filter((picture) => !picture.live));
  await shot(context, 'recorded');
  const moment = asked.utc / 1000;
  report.most(name, 'moment clicked off the one meant', Math.abs(clicked - BACK - moment) / 1000, 2, 's');
  const table = await server.table(key, moment - 10_000, moment + 30_000);
  const pictures = join(seen, table);
  const first = pictures[0];
  if (process.env.VIGIE_VERBOSE) console.log(moment, pictures.slice(0, 60).map((p) => [p.told, p.number, Math.round(p.off), Math.round(p.faceOff), Math.round(p.utc - moment)].join('/')).join(' '));
  report.holds(name, 'the first picture is in the table (number, loop)', first?.sent !== undefined, `loop ${first?.loop}, number ${first?.number}`);
  // The last at or before it; its pixels may still be those of the one before (see `right`).
  report.most(name, '… and is the one of that moment', Math.abs((first?.sent ?? NaN) - moment), 2 * PICTURE, 'ms');
  const wrong = pictures.filter((p) => !right(p, key) || p.sent === undefined).length;
  report.most(name, 'wrong pictures after it', (100 * wrong) / pictures.length, 5, `% of ${pictures.length}`);
  const steps = pictures.slice(1).map(({ utc }, i) => utc - pictures[i].utc);
  report.holds(name, 'they go on from there', pictures.length > 30 && steps.filter((step) => step < -PICTURE).length <= 1 && pictures.at(-1).utc - pictures[0].utc > 2000, `${pictures.length} pictures, ${Math.round(Math.min(...steps))} to ${Math.round(Math.max(...steps))} ms apart`);
  report.most(name, 'UTC shown off the table’s, recorded, p95', percentile(pictures.map((p) => Math.abs(p.faceOff)), 0.95), PICTURE, 'ms');
  await page.click('#live');
  const back = await until(async () => (await states(page))[2].state === 'live', 8000);
  report.most(name, 'from the recording back to live', back, 3000, 'ms');
}

/** The camera goes away and comes back. */
export async function outage(context) {
  const { page, server, report, name } = context;
  const key = KEYS[1];
  const tile = async () => (await states(page)).find((state) => state.key === key);
  await server.order(key, 'stop');
  const honest = await until(async () => (await tile()).state !== 'live', 6000);
  report.most(name, 'camera stopped: the tile says so after', honest, 3000, 'ms');
  const lies = [];
  const began = Date.now();
  while (Date.now() - began < OUTAGE) {
    const { state, text } = await tile();
    if (['live', 'late', 'recorded'].includes(state) || !/stale|signal/i.test(text)) lies.push(state);
    await sleep(500);
  }
  await shot(context, 'stale');
  const { state } = await tile();
  report.most(name, `lies in ${OUTAGE / 1000} s without the camera`, lies.length, 0, `(${state})`);
  await take(page);
  await server.order(key, 'start');
  const returned = Date.now();
  let recording = NaN;
  const seen = {};
  const back = await until(async () => {
    if (process.env.VIGIE_VERBOSE && Number.isNaN(recording)) {
      const { tenants } = await (await server.api('/api/cameras')).json();
      if (tenants[0].cameras[1].state === 'recording') recording = Date.now();
    }
    for (const [of, list] of Object.entries(await take(page))) (seen[of] ??= []).push(...list);
    return moving(seen, key) >= 3 && (await tile()).state === 'live';
  }, 20_000, 50);
  report.most(name, 'live again after its return', back, 5000, 'ms');
  if (process.env.VIGIE_VERBOSE) console.log('centre had it back after', recording - returned, 'ms');
  const gap = await until(async () => {
    const answer = await server.api(`/api/timeline/${key}`);
    const { gaps } = await answer.json();
    return gaps.some(({ cause, from, to }) => cause === 'camera' && Date.parse(to) - Date.parse(from) > 0.7 * OUTAGE);
  }, 10_000, 500);
  report.holds(name, 'the timeline has the gap, with its cause', !Number.isNaN(gap));
}

/** Somebody else's page under `default-src 'self'`. */
export async function policy(context) {
  const { browser, server, report, name, h265 } = context;
  for (const [rule, what] of [
    ["default-src 'self'", 'default-src self alone'],
    [POLICY, 'with media-src blob:'],
  ]) {
    const front = await portal(server.base, rule);
    const page = await browser.newPage();
    const violations = [];
    page.on('console', (message) => /Content.Security.Policy/i.test(message.text()) && violations.push(message.text()));
    try {
      await page.goto(`${front.base}/#token=${server.token}`);
      await page.evaluate(install);
      const seen = {};
      const works = await until(async () => {
        for (const [key, list] of Object.entries(await take(page))) (seen[key] ??= []).push(...list);
        return KEYS.slice(0, 2).every((key) => moving(seen, key) >= 5);
      }, rule.includes('blob') || !h265 ? 15_000 : 4000);
      const [tile] = await states(page);
      const told = tile.state === 'cannot-play' && /media-src/.test(tile.text);
      const value = Number.isNaN(works) ? `says: ${tile.cause?.kind ?? tile.state}` : 'plays';
      report.holds(name, `page under ${what}`, !Number.isNaN(works) || (told && !rule.includes('blob')), value);
      if (!Number.isNaN(works)) report.most(name, '… breaches of it', violations.length, 0, '');
    } finally {
      await page.close();
      await front.stop();
    }
  }
}

/** Who gets nothing. */
export async function doors(context) {
  const { browser, page, server, report, name, complaints } = context;
  const other = await stranger(server.base, server.token);
  const foreign = await browser.newPage();
  await foreign.goto(other.base);
  const got = await foreign.evaluate(other.attempt, other.arguments);
  await foreign.close();
  await other.stop();
  report.holds(name, 'a page of another origin gets nothing', got.length === 0, got.length ? got.join('; ') : 'nothing');
  const answers = await Promise.all(['/api/cameras', '/', '/archive/x'].map((at) => request(server, at, 'evil.example')));
  report.holds(name, 'a foreign Host gets nothing', answers.every((status) => status >= 400), answers.join(', '));
  const without = await request(server, '/api/cameras', new URL(server.base).host);
  report.holds(name, 'without the token: nothing', without === 401, String(without));
  // The desk's own storage is where it is kept.
  const found = (await leaks(page, server.token)).filter((place) => place !== 'storage');
  report.holds(name, 'the token stands in no address, nor in the markup', found.length === 0, found.join() || 'yes');
  const ours = complaints.filter((text) => !/favicon/.test(text));
  report.most(name, 'errors on the page’s console', ours.length, 0, ours[0]?.slice(0, 80) ?? '');
}

/** @param {string} host */
function request(server, at, host) {
  const { hostname, port } = new URL(server.base);
  const headers = { Host: host, ...(host.startsWith('evil') ? { Authorization: `Bearer ${server.token}` } : {}) };
  return new Promise((done) => {
    http.get({ hostname, port, path: at, headers }, (answer) => {
      answer.resume();
      done(answer.statusCode);
    });
  });
}
