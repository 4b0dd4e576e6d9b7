import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fr from '../../js/fr.js';
import { explain, fill, gapCause, unsupported } from '../../js/text.js';
import { CAUSES, CLOCKS, GAPS, STATES } from '../../js/words.js';

const js = join(import.meta.dirname, '../../js');

test('French says all that English does, with the same words left open', async () => {
  const written = ['text.js', 'words.js'].map((name) => readFileSync(join(js, name), 'utf8')).map((source) => source.slice(source.search(/phrases: \{|en\.phrases,/)));
  const phrases = [...written.join('\n').matchAll(/^ {4}(\w+): ['"](.*)['"],$/gm)];
  assert.ok(phrases.length > 20);
  assert.deepEqual(Object.keys(fr.phrases).sort(), phrases.map(([, key]) => key).sort());
  const holes = (text) => [...text.matchAll(/\{\d\}/g)].map(String).sort();
  for (const [, key, text] of phrases) assert.deepEqual(holes(fr.phrases[key]), holes(text), key);
  for (const [name, keys] of [['states', STATES], ['causes', CAUSES], ['gaps', GAPS], ['clocks', CLOCKS]]) {
    assert.deepEqual(Object.keys(fr[name]).sort(), Object.keys(keys).sort(), name);
  }
  assert.equal(new Set(Object.values(fr.states)).size, Object.keys(STATES).length);
});

test('words in French', () => {
  assert.equal(explain({ kind: 'camera-gone', code: 'V0709' }, fr).what, 'Le centre a perdu la caméra (V0709).');
  assert.equal(gapCause('network', fr), 'réseau coupé');
  assert.match(unsupported('H.265', 'hvc1.1.6.L93.B0', fr).what, /^Ce navigateur ne peut lire H\.265/);
  assert.equal(fill(fr.phrases.notRecorded, 'a', 'b', 'c'), 'Non enregistré a – b : c.');
});

test('no word stands outside of the tables', () => {
  const found = [];
  for (const name of readdirSync(js).filter((file) => file.endsWith('.js') && !['text.js', 'words.js', 'fr.js'].includes(file))) {
    for (const line of readFileSync(join(js, name), 'utf8').split('\n')) {
      // What is written into the page: `write(node, 'Words')`, `aria-label` and `title` with words of their own, and on canvas.
      if (/\b(flag|fillText)\(.*['"`][A-Za-z]{3}/.test(line) || /\bwrite\([^,]+, (['"`])[A-Za-z]{3}/.test(line) || /(aria-label|title)['"]?[:,] ['"`][A-Za-z]{3}/.test(line)) found.push(`${name}: ${line.trim()}`);
    }
  }
  assert.deepEqual(found, []);
});
