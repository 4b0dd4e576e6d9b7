// Chromium and Firefox against `vigie-centre demo`: what is on the screen, not what somebody says is.
//
//   node tests/browser.js            VIGIE_BACK=120 VIGIE_OUTAGE=30 VIGIE_LIVE=20: seconds; less for a quick run
//   VIGIE_BROWSERS=firefox           one of them alone
//   VIGIE_ONLY=faults,wall           these rows alone
//   VIGIE_STEPS=500                  so many pictures stepped to, each way, in `stepping`
//   VIGIE_LONG=1                     faults, latency and wall in every browser, not in the first alone; more steps and rounds
//
// The last lines count what was skipped and why; VIGIE_REQUIRE_VECTORS=1 makes a skip a failure. Screenshots are left in tests/out/.

import { mkdirSync } from 'node:fs';
import { join as path } from 'node:path';
import { browsers } from './browser/browsers.js';
import { preview, speeds, together } from './browser/archive.js';
import { arranging } from './browser/arranging.js';
import * as centre from './browser/centre.js';
import { french, looks } from './browser/looks.js';
import { Report } from './browser/report.js';
import { doors, keyboard, live, outage, policy, recorded, start } from './browser/shows.js';
import { axe, faults, latency, stepping, surface, wall } from './browser/tile.js';
import { closer } from './browser/closer.js';
import { managed } from './browser/managed.js';
import { moving } from './browser/moving.js';
import { web } from './browser/web.js';
import { dewarp, ptz } from './browser/views.js';

const wanted = (process.env.VIGIE_BROWSERS ?? 'chromium,firefox').toLowerCase().split(',');
const only = process.env.VIGIE_ONLY?.split(',');
/** What takes half a minute each. */
const LONG = new Set([speeds, together, dewarp, faults, latency, wall]);
const report = new Report();
const skipped = [];
const out = path(import.meta.dirname, 'out');
mkdirSync(out, { recursive: true });

if (!centre.binary()) {
  console.error('vigie-centre is not built: cargo build -p vigie-centre, or give its path in VIGIE_CENTRE');
  process.exit(1);
}

const kinds = browsers.filter(({ name }) => wanted.includes(name.toLowerCase()));
const first = kinds.find(({ there }) => there);
for (const kind of kinds) {
  if (!kind.there) {
    skipped.push(`${kind.name}: ${kind.path} is not there`);
    continue;
  }
  const browser = await kind.launch();
  let server = null;
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error.message ?? error)));
    page.on('console', (message) => ['error', 'warn'].includes(message.type()) && complaints.push(message.text()));
    server = await centre.start();
    const context = { browser, page, server, report, out, complaints, name: kind.name, h265: kind.h265 };
    await start(context);
    for (const show of [live, keyboard, recorded, outage, looks, french, axe, latency, surface, stepping, speeds, together, preview, ptz, moving, dewarp, wall, arranging, closer, managed, faults, policy, web, doors]) {
      if (only && !only.includes(show.name)) continue;
      if (!only && LONG.has(show) && first !== kind && !process.env.VIGIE_LONG) {
        console.log(`       ${kind.name}: ${show.name} is for VIGIE_LONG=1`);
        continue;
      }
      await show(context);
    }
  } catch (error) {
    report.holds(kind.name, 'no error in the test itself', false, error.message);
    console.error(error);
    if (server) console.error(server.said());
  } finally {
    await browser.close().catch(() => {});
    await server?.stop();
  }
}
const good = report.end(skipped);
process.exit(good && !(skipped.length && process.env.VIGIE_REQUIRE_VECTORS === '1') ? 0 : 1);
