// The pages of examples/web, as a portal would serve them: pictures move on each, and the token is where it should be.

import { readFileSync } from 'node:fs';
import { join as path } from 'node:path';
import * as compiler from 'vue/compiler-sfc';
import { build } from 'esbuild';
import { serve } from '../../../examples/web/server.mjs';
import { install } from './probe.js';
import { until } from './shows.js';
import { leaks, stranger } from './strict.js';

const root = path(import.meta.dirname, '../../../examples/web');

/** What Vite's plugin does for `.vue`, in few lines. @type {import('esbuild').Plugin} */
const vue = {
  name: 'vue',
  setup({ onLoad }) {
    onLoad({ filter: /\.vue$/ }, ({ path: file }) => {
      const { descriptor, errors } = compiler.parse(readFileSync(file, 'utf8'), { filename: file });
      if (errors.length) throw errors[0];
      const isCustomElement = (/** @type {string} */ tag) => tag.startsWith('vigie-');
      const made = compiler.compileScript(descriptor, { id: file, inlineTemplate: true, templateOptions: { compilerOptions: { isCustomElement } } });
      return { contents: made.content, loader: 'js', resolveDir: path(file, '..') };
    });
  },
};

/** `/react/main.js` and `/vue/main.js`. */
export async function bundles() {
  const made = await build({
    ...{ bundle: true, minify: true, write: false, format: 'esm', target: 'es2022', jsx: 'automatic', plugins: [vue], logLevel: 'warning' },
    entryPoints: [path(root, 'react/main.jsx'), path(root, 'vue/main.js')],
    outdir: root,
    nodePaths: [path(import.meta.dirname, '../../node_modules')],
    define: {
      'process.env.NODE_ENV': '"production"',
      ...{ __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    },
  });
  return new Map(made.outputFiles.map(({ path: file, text }) => [file.slice(root.length).replaceAll('\\', '/'), text]));
}

/** Each player of a frame: `[camera, number]` out of its pixels, and its state. @param {import('puppeteer-core').Frame} frame */
const look = (frame) =>
  frame.evaluate(() =>
    [...document.querySelectorAll('vigie-player')].map((player) => {
      const { videoWidth } = player;
      return { state: player.state, seen: videoWidth ? window.__read(player.video) : [-1, -1] };
    }),
  );

/** What its first player shows to the centre. @param {import('puppeteer-core').Frame} frame */
const tokenOf = (frame) => frame.evaluate(() => document.querySelector('vigie-player').token);

/**
 * Every player of the frame shows its camera, and its pictures change; says after how long.
 * @param {import('puppeteer-core').Frame} frame @param {number[]} cameras
 */
async function moving(frame, cameras) {
  const numbers = cameras.map(() => new Set());
  const wait = await until(async () => {
    const players = await look(frame);
    if (players.length !== cameras.length) return false;
    for (const [i, { state, seen }] of players.entries()) {
      if (seen[0] === cameras[i] && state === 'live') numbers[i]?.add(seen[1]);
    }
    return numbers.every(({ size }) => size >= 5);
  }, 20_000, 60);
  return { good: !Number.isNaN(wait), told: Number.isNaN(wait) ? JSON.stringify(await look(frame)) : `${Math.round(wait)} ms` };
}

/** A picture is waited for at most so long about a renewal and where the token before it expires, milliseconds. */
const STILL = 300;

/**
 * With tokens of ten seconds: over two renewals what plays goes on, live and recorded; then the portal gives no more.
 * @param {any} context
 */
async function renewals({ browser, server, report, name }) {
  const seconds = 10;
  const portal = await serve({ centre: server.base, token: async () => server.token, seconds });
  const page = await browser.newPage();
  try {
    await until(async () => Date.now() - server.began > 20_000, 20_000);
    await page.goto(`${portal.front}/plain/`);
    await page.evaluate(install);
    const shown = await moving(page.mainFrame(), [1, 2]);
    report.holds(name, 'a token of ten seconds: pictures move', shown.good, shown.told);
    await page.evaluate(() => document.querySelectorAll('vigie-player')[1].seek((Date.now() - 12_000) * 1000));
    const recorded = await until(() => page.evaluate(() => document.querySelectorAll('vigie-player')[1].state === 'recorded'), 8000);
    await page.evaluate(() => {
      const players = [...document.querySelectorAll('vigie-player')];
      const seen = (window.__kept = { tokens: [[players[0].token, 0]], still: players.map(() => 0), gaps: players.map(() => []), states: players.map(({ state }) => [state]) });
      for (const [i, player] of players.entries()) {
        player.addEventListener('vigie-picture', () => {
          seen.gaps[i].push({ at: performance.now(), ms: seen.still[i] });
          seen.still[i] = 0;
        });
        player.addEventListener('vigie-state', ({ detail }) => seen.states[i].push(detail.state));
      }
      let last = performance.now();
      setInterval(() => {
        const now = performance.now();
        // While the page itself stands still, on a machine that has much to do, nothing of it is the player's.
        for (const i of players.keys()) seen.still[i] += Math.min(40, now - last);
        last = now;
        if (players[0].token !== seen.tokens.at(-1)[0]) seen.tokens.push([players[0].token, now]);
      }, 20);
    });
    const kept = () => page.evaluate(() => ({ ...window.__kept, reconnects: [...document.querySelectorAll('vigie-player')].map((player) => player.getStats().reconnects) }));
    // Two tokens have come, and those before them have expired.
    await until(() => page.evaluate(() => performance.now() - (window.__kept.tokens[2]?.[1] ?? Infinity) > 5000), 30_000);
    const { tokens, gaps, states, reconnects } = await kept();
    report.holds(name, '… two renewals', tokens.length === 3 && !Number.isNaN(recorded), `${tokens.length - 1}`);
    report.holds(name, '… no connection anew, no other state', reconnects.join() === '0,0' && states.every((all) => all.every((state) => ['live', 'late', 'recorded'].includes(state))), JSON.stringify({ reconnects, states }));
    const [, one, two] = tokens.map(([, at]) => at);
    // The one before a token came as long before it as the next came after.
    const about = [one, two, ...[2 * one - two, one].map((came) => came + 1000 * seconds)];
    const near = (/** @type {number} */ at) => about.some((moment) => at > moment - 200 && at < moment + 1500);
    for (const [i, what] of ['live', 'recorded'].entries()) {
      const worst = (/** @type {boolean} */ wanted) => Math.round(Math.max(0, ...gaps[i].filter(({ at }) => near(at) === wanted).map(({ ms }) => ms)));
      report.note(name, `… ${what}: longest without a picture elsewhere`, `${worst(false)} ms, ${gaps[i].length} pictures`);
      report.least(name, `… ${what}: pictures then`, gaps[i].filter(({ at }) => near(at)).length, 30);
      report.most(name, `… ${what}: longest without a picture then`, worst(true), Math.max(STILL, 2 * worst(false)), 'ms');
    }
    await page.evaluate(() => {
      window.__fetch = window.fetch;
      window.fetch = async () => new Response('', { status: 503 });
    });
    const refused = await until(() => page.evaluate(() => [...document.querySelectorAll('vigie-player')].every(({ state, cause }) => state === 'no-right' && cause?.kind === 'refused')), 20_000);
    report.holds(name, '… and without another one: no right to see', !Number.isNaN(refused), JSON.stringify(await look(page.mainFrame())));
    await page.evaluate(() => (window.fetch = window.__fetch));
    const back = await until(() => page.evaluate(() => document.querySelector('vigie-player').state === 'live'), 15_000);
    report.holds(name, '… with one again: live', !Number.isNaN(back));
  } finally {
    await page.close();
    await portal.stop();
  }
}

/** A token for one camera shows no other: that there is one, even, it does not tell. @param {any} context @param {import('puppeteer-core').Page} page */
async function scope({ server, report, name }, page) {
  const body = JSON.stringify({ cameras: ['annoeullin/mairie'], seconds: 60 });
  const { token } = await (await server.api('/api/tokens', { method: 'POST', body })).json();
  await page.evaluate((key) => {
    document.querySelectorAll('vigie-player').forEach((player) => player.remove());
    for (const camera of ['mairie', 'place', 'none']) {
      const player = document.createElement('vigie-player');
      player.token = key;
      for (const [attribute, value] of [['tenant', 'annoeullin'], ['camera', camera]]) player.setAttribute(attribute, value);
      document.querySelector('.cameras').append(player);
    }
  }, token);
  const told = () => page.evaluate(() => [...document.querySelectorAll('vigie-player')].map(({ state, cause, picture }) => `${picture ? state : ''} ${cause?.kind ?? ''}`));
  const wait = await until(async () => (await told()).join() === 'live , not-found, not-found', 15_000);
  report.holds(name, 'a token for one camera shows no other', !Number.isNaN(wait), (await told()).join());
}

export async function web(context) {
  const { browser, server, report, name } = context;
  // React and Vue are the same JavaScript in every browser.
  const all = name === 'Chromium';
  const portal = await serve({ centre: server.base, token: async () => server.token, bundles: all ? await bundles() : new Map() });
  const complaints = [];
  const open = async (address) => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(String(error.message ?? error)));
    page.on('console', (message) => message.type() === 'error' && !/favicon/.test(message.location()?.url ?? '') && complaints.push(message.text()));
    await page.goto(address);
    return page;
  };
  try {
    const plain = await open(`${portal.front}/plain/`);
    await plain.evaluate(install);
    const { good, told } = await moving(plain.mainFrame(), [1, 2]);
    report.holds(name, 'plain HTML: pictures move', good, told);
    const token = await tokenOf(plain.mainFrame());
    const found = [...(await leaks(plain.mainFrame(), token)), ...(await leaks(plain.mainFrame(), server.token))];
    report.holds(name, '… the token stands in no address, markup or storage', found.length === 0, found.join());
    report.holds(name, '… it is not the centre’s own', token.length === 64 && !token.includes(server.token));
    await scope(context, plain);
    await plain.close();
    await renewals(context);

    for (const framework of all ? ['react', 'vue'] : []) {
      const page = await open(`${portal.front}/${framework}/`);
      await page.evaluate(install);
      const first = await moving(page.mainFrame(), [1]);
      report.holds(name, `${framework}: pictures move`, first.good, first.told);
      await page.click('.choices button:nth-child(2)');
      const second = await moving(page.mainFrame(), [2]);
      report.holds(name, `${framework}: another camera, the same element`, second.good, second.told);
      report.holds(name, '… its state reaches the page', await page.evaluate(() => /^(live|late)$/.test(document.querySelector('[role=status]').textContent)));
      const leaked = await leaks(page.mainFrame(), await tokenOf(page.mainFrame()));
      report.holds(name, '… the token stands in no address, markup or storage', leaked.length === 0, leaked.join());
      await page.close();
    }

    const page = await open(`${portal.portal}/iframe/portal.html`);
    const framed = async () => page.frames().find((frame) => frame.url().startsWith(`${portal.front}/iframe/video.html`));
    await until(async () => (await framed()) !== undefined, 5000);
    const frame = await framed();
    await frame?.evaluate(install);
    const shown = frame ? await moving(frame, [1]) : { good: false, told: 'no frame' };
    report.holds(name, 'iframe portal: pictures move', shown.good, shown.told);
    const secret = frame ? await tokenOf(frame) : '';
    const leaked = [...(await leaks(page.mainFrame(), secret)), ...(frame ? await leaks(frame, secret) : ['no frame'])];
    report.holds(name, '… the token stands in no address, markup or storage', leaked.length === 0, leaked.join());
    // What the portal's window did not send is no token: here from the frame's own.
    const before = await frame?.evaluate(() => {
      window.postMessage({ type: 'vigie-token', token: 'forged' }, '*');
      return new Promise((done) => setTimeout(() => done(document.querySelector('vigie-player').token !== 'forged'), 200));
    });
    report.holds(name, '… a token from elsewhere is not taken', before === true);
    await page.close();

    // A page of another origin frames the same page: the browser shows it nothing, and it hears nothing.
    const other = await stranger(server.base, server.token);
    const foreign = await browser.newPage();
    await foreign.goto(other.base);
    const got = await foreign.evaluate(async (address) => {
      const heard = [];
      window.addEventListener('message', ({ data }) => heard.push(data?.type));
      const element = document.createElement('iframe');
      element.src = address;
      document.body.append(element);
      await new Promise((done) => setTimeout(done, 1500));
      return heard;
    }, `${portal.front}/iframe/video.html?tenant=annoeullin&camera=mairie`);
    const frames = foreign.frames().map((one) => one.url());
    await foreign.close();
    await other.stop();
    report.holds(name, 'another origin that frames it hears nothing', got.length === 0 && !frames.some((url) => url.startsWith('http') && url.includes('video.html')), got.join() || frames[1]?.slice(0, 34));
    // Each lacks one thing of what the page's own request has.
    const Cookie = (await fetch(`${portal.front}/plain/`)).headers.get('set-cookie')?.split(';')[0] ?? '';
    const Origin = portal.front;
    const ask = (headers, method = 'POST') => fetch(`${portal.front}/token`, { method, headers });
    const refused = await Promise.all([
      ask({ Origin }),
      ask({ Cookie }),
      ask({ Cookie, Origin: portal.portal }),
      ask({ Cookie, Origin }, 'GET'),
      fetch(`${portal.front}/api/cameras`, { headers: { Origin: 'https://evil.example', Authorization: `Bearer ${server.token}` } }),
    ]);
    report.holds(name, 'without a session, from elsewhere: no token', refused.every(({ status }) => status === 403), refused.map(({ status }) => status).join());
    report.holds(name, '… and with both, one', (await ask({ Cookie, Origin })).ok);
    report.most(name, 'errors on the pages’ consoles', complaints.length, 0, complaints[0]?.slice(0, 100) ?? '');
  } finally {
    await portal.stop();
  }
}
