// What a live tile loads, by static import closure: page and Worker, each file compressed by itself, as a server sends it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { closure } from '../compare/closure.js';

const dist = join(import.meta.dirname, '../../dist');
/** Bytes, compressed. */
const SCRIPTS = 20_000;
/** The aim is 100 000: README.md says what is in the way. It may fall, and not rise. */
const MODULE = 150_000;

const files = closure(dist);
const there = files.length > 0;
if (!there) {
  console.log('SKIPPED the size budget: dist/ is not built (cargo run -p vigie-player-pack)');
  if (process.env.VIGIE_REQUIRE_INTEROP === '1') assert.fail('the size budget wants dist/');
}

test('what a live tile loads is within its budget', { skip: !there }, () => {
  const size = (/** @type {string} */ end) => {
    const some = files.filter((file) => file.endsWith(end));
    return some.reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
  };
  const names = files.map((file) => relative(dist, file)).sort();
  console.log(`a live tile: JavaScript ${size('.js')} bytes, WebAssembly ${size('.wasm')} bytes (gzip): ${names.join(' ')}`);
  // The measure itself: that it finds what it should, and only that.
  assert.deepEqual(names.filter((name) => name.startsWith('wasm')), ['wasm/live.js', 'wasm/live_bg.wasm']);
  assert.ok(names.includes('tile.js') && names.includes('worker.js') && !names.includes('archive.js'));
  assert.ok(size('.js') <= SCRIPTS, `JavaScript: ${size('.js')} of ${SCRIPTS}`);
  assert.ok(size('.wasm') <= MODULE, `WebAssembly: ${size('.wasm')} of ${MODULE}`);
});
