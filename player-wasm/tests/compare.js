// Sixteen live tiles of 640×360 at 25 pictures a second: ours beside bare MSE, mpegts.js, hls.js and jmuxer, fed by the same cameras.
//
//   npm run compare                       VIGIE_COMPARE=20: seconds that each is measured
//   npm run compare -- --json FILE        the values as JSON besides
//   VIGIE_COMPARE_ROUNDS=3                all of them so many times; of each value the median
//   VIGIE_BROWSERS=chromium,firefox       Chromium alone, if nothing is said
//   VIGIE_ONLY=vigie,mse                  these contenders alone
//
// One bound: we drop at most two points more than bare MSE does. Needs ffmpeg, `vigie` and `vigie-centre` (VIGIE_CLI, VIGIE_CENTRE).
// Screenshots are left in tests/out/. The README says how each is set up.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { browsers } from './browser/browsers.js';
import { binary } from './browser/centre.js';
import { Report } from './browser/report.js';
import { simulate } from './compare/cameras.js';
import { closure } from './compare/closure.js';
import { measure } from './compare/measure.js';
import { median, table } from './compare/table.js';

const { values: options } = parseArgs({ options: { json: { type: 'string' } } });
const seconds = Number(process.env.VIGIE_COMPARE ?? 20);
const rounds = Number(process.env.VIGIE_COMPARE_ROUNDS ?? 1);
const wanted = (process.env.VIGIE_BROWSERS ?? 'chromium').toLowerCase().split(',');
const only = process.env.VIGIE_ONLY?.split(',');
const here = import.meta.dirname;
const library = (name, file) => join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), file);

const ours = closure(join(here, '../dist'));
const contenders = [
  { name: 'vigie, balanced', kind: 'vigie', way: 'vigie', code: ours },
  { name: 'vigie, low', kind: 'vigie', way: 'vigie', latency: 'low', code: ours },
  { name: 'bare MSE', kind: 'mse', way: 'mse', code: ['mse', 'share'].map((way) => join(here, `compare/page/ways/${way}.js`)) },
  ...[
    { name: 'mpegts.js', kind: 'mpegts', way: 'mpegts', lib: library('mpegts.js', 'dist/mpegts.js') },
    { name: 'hls.js', kind: 'hls', way: 'hls', lib: library('hls.js', 'dist/hls.light.min.js') },
    { name: 'hls.js, low latency', kind: 'llhls', way: 'hls', lib: library('hls.js', 'dist/hls.light.min.js') },
    { name: 'jmuxer', kind: 'jmuxer', way: 'jmuxer', lib: library('jmuxer', 'dist/jmuxer.min.js') },
  ].map((one) => ({ ...one, code: [one.lib] })),
].filter(({ kind }) => !only || only.includes(kind));
const POINTS = 2;

for (const [what, there] of [
  ['ffmpeg', spawnSync('ffmpeg', ['-version']).status === 0],
  ['vigie: cargo build -p vigie-cli, or give its path in VIGIE_CLI', binary('vigie')],
  ['vigie-centre: cargo build -p vigie-centre, or give its path in VIGIE_CENTRE', binary()],
  ['the player: make player', ours.length > 0],
]) {
  if (there) continue;
  console.error(`not there: ${what}`);
  process.exit(1);
}

const out = join(here, 'out');
mkdirSync(out, { recursive: true });
const report = new Report();
const skipped = [];
const all = [];
for (const kind of browsers.filter(({ name }) => wanted.includes(name.toLowerCase()))) {
  if (!kind.there) {
    skipped.push(`${kind.name}: ${kind.path} is not there`);
    continue;
  }
  const cameras = await simulate();
  try {
    for (const contender of Array.from({ length: rounds }, () => contenders).flat()) {
      console.error(`${kind.name}: ${contender.name}, ${seconds} s`);
      const shot = join(out, `compare-${kind.name}-${contender.name}.png`.toLowerCase().replace(/[, ]+/g, '-'));
      const code = contender.code.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
      try {
        all.push({ browser: kind.name, code, ...(await measure(kind, contender, cameras, seconds, shot)) });
      } catch (error) {
        report.holds(kind.name, `${contender.name}: no error in the test itself`, false, error.message);
      }
    }
  } finally {
    await cameras.stop();
  }
}
/** Of each contender, its rounds made one. */
const results = wanted.flatMap((browser) =>
  contenders.flatMap(({ name }) => {
    const mine = all.filter((one) => one.name === name && one.browser.toLowerCase() === browser);
    return mine.length > 0 ? [median(mine)] : [];
  }),
);
for (const browser of new Set(results.map((one) => one.browser))) {
  const its = results.filter((one) => one.browser === browser);
  console.log(`${browser}, ${availableParallelism()} cores; CPU in cores, that of the browser but where it says otherwise\n\n${table(its)}\n`);
}
const unread = all.reduce((sum, one) => sum + one.unread, 0);
console.log(`${unread} of ${all.reduce((sum, one) => sum + one.samples, 0)} barcodes could not be read or had not been sent\n`);
if (options.json) writeFileSync(options.json, `${JSON.stringify({ at: new Date().toISOString(), cores: availableParallelism(), seconds, results: all }, null, 1)}\n`);

for (const bare of results.filter(({ name }) => name === 'bare MSE')) {
  for (const mine of results.filter(({ name, browser }) => name.startsWith('vigie') && browser === bare.browser)) {
    const tenths = (value) => Math.round(10 * value) / 10;
    const most = (what) => tenths(bare[what] + POINTS);
    report.least(mine.browser, `${mine.name}: tiles that play`, mine.playing, 16);
    report.most(mine.browser, `${mine.name}: pictures dropped`, tenths(mine.dropped), most('dropped'), '%');
    report.most(mine.browser, `${mine.name}: pictures never shown`, tenths(mine.unseen), most('unseen'), '%');
  }
}
process.exit(report.end(skipped) && results.length > 0 ? 0 : 1);
