// The desk of examples/centre speaks French wherever it speaks.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mock, test } from 'node:test';

import { Centre } from '../../../examples/centre/web/api.js';

const web = join(import.meta.dirname, '../../../examples/centre/web');
const read = (name) => readFileSync(join(web, name), 'utf8');
/** The same in both languages. */
const SAME = /^(Vigie|UTC|Ctrl|×1|−10 s|10 min|1 h|24 h|[^\p{L}]*|.)$/u;

test('every word of the desk’s page and scripts has its French', () => {
  const source = read('words.js');
  const table = source.slice(source.indexOf('FRENCH'), source.indexOf('\n};'));
  const french = new Map([...table.matchAll(/^ {2}(?:'([^']+)'|(\w+)):\s+'(.+)',$/gm)].map(([, quoted, bare, text]) => [quoted ?? bare, text]));
  assert.ok(french.size > 80);
  const html = read('index.html');
  const body = html.slice(html.indexOf('<body'));
  const texts = [...body.matchAll(/>([^<]+)</g)].map(([, text]) => text.trim());
  const attributes = [...body.matchAll(/(?:title|aria-label)="([^"]+)"/g)].map(([, text]) => text);
  const scripts = ['desk.js', 'list.js', 'panel.js'].map(read).join('\n');
  const said = [...scripts.matchAll(/(?<!function )\b(?:say|notice|#fact)\(([^\n]*)/g)].flatMap(([, rest]) => [...rest.matchAll(/'([^']*[A-Za-z]{2}[^']*)'/g)].map(([, text]) => text));
  assert.ok(texts.length > 40 && said.length > 25);
  // What `say` is given beside its text: names of states and keys of facts.
  const NAMES = /^(fr|en|light|utc|recording|no-signal|since)$/;
  // And its word for each state that the centre knows.
  const list = read('list.js');
  const centre = new Map([...list.slice(list.indexOf('CENTRE'), list.indexOf('\n};')).matchAll(/^ {2}'?([\w-]+)'?: '(.+)',$/gm)].map(([, state, word]) => [state, word]));
  const status = readFileSync(join(web, '../src/camera/status.rs'), 'utf8');
  const states = [...status.matchAll(/Self::\w+ => "([\w-]+)"/g)].map(([, state]) => state);
  assert.ok(states.length > 4);
  assert.deepEqual([...centre.keys()].sort(), states.sort());
  const lacking = [...texts, ...attributes, ...said, ...centre.values()].filter((text) => !french.has(text) && !SAME.test(text) && !NAMES.test(text) && text !== 'English' && text !== 'Français' && text !== '×1: speed');
  assert.deepEqual([...new Set(lacking)], []);
  const holes = (text) => [...text.matchAll(/\{\d\}/g)].map(String).sort().join();
  for (const [english, text] of french) assert.equal(holes(text), holes(english), english);
});

test('the desk’s sheet has no side of its own, so that it reads right to left as well', () => {
  for (const name of readdirSync(web).filter((file) => file.endsWith('.css'))) {
    assert.deepEqual(read(name).match(/\b(?:margin|padding|border)-(?:left|right)\b|\btext-align: (?:left|right)\b|[;{]\s*(?:left|right):/g), null, name);
  }
  const js = join(import.meta.dirname, '../../js');
  for (const name of readdirSync(js).filter((file) => file.endsWith('.js'))) {
    const text = readFileSync(join(js, name), 'utf8');
    for (const [, sheet] of text.matchAll(/sheet\(`([^`]*)`/g)) {
      assert.deepEqual(sheet.match(/\b(?:margin|padding|border)-(?:left|right)\b|\btext-align: (?:left|right)\b|[;{]\s*(?:left|right):/g), null, name);
    }
  }
});

test('holds that cannot be read are not no holds', async () => {
  const camera = { tenant: 't', id: 'c', key: 't/c', name: 'Mairie', number: 1 };
  const rows = [];
  for (const holds of [null, [], [{ from: '2026-11-26T06:00:00Z', to: '2026-11-26T06:01:00Z', case: '7' }]]) {
    const answer = Response.json({ ranges: [], gaps: [], holds });
    const fetching = mock.method(globalThis, 'fetch', async () => answer);
    rows.push(await new Centre('token').timeline(camera, 0, 1e6));
    fetching.mock.restore();
  }
  assert.deepEqual(rows.map((row) => row.holds?.map(({ label }) => label)), [undefined, [], ['7']]);
});

test('why a camera is not there has its French, by the number of the error', () => {
  const source = read('words.js');
  const table = source.slice(source.indexOf('REASONS'));
  const french = [...table.slice(0, table.indexOf('\n};')).matchAll(/^ {2}(V\d{4}): '(.+)',$/gm)].map(([, code]) => code);
  const page = readFileSync(join(web, '../../../core/docs/errors.md'), 'utf8');
  const numbers = [...page.matchAll(/^\| (\d+) \| `(vigie::session::error|vigie_net::error)` \|/gm)].map(([, number]) => `V${number.padStart(4, '0')}`);
  assert.ok(numbers.length > 25);
  assert.deepEqual(french, numbers);
});
