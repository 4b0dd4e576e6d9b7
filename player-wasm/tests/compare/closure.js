// What a live tile loads, by static import closure: page and Worker, and the module.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const STATIC = /(?:^|[;}\n])\s*(?:import|export)(?:[\w\s{},*$]*?from)?\s*["'](\.[^"']+)["']/g;
const MODULES = /new URL\(["']([\w./-]+\.wasm)["'],\s*import\.meta\.url\)/g;

/** Paths; none where the player is not built. @param {string} dist @returns {string[]} */
export function closure(dist) {
  const seen = new Set();
  const walk = (/** @type {string} */ file) => {
    if (seen.has(file)) return;
    seen.add(file);
    if (!file.endsWith('.js')) return;
    const text = readFileSync(file, 'utf8');
    for (const [, name] of [...text.matchAll(STATIC), ...text.matchAll(MODULES)]) walk(join(dirname(file), name));
  };
  if (existsSync(join(dist, 'worker.js'))) for (const entry of ['tile.js', 'worker.js']) walk(join(dist, entry));
  return [...seen];
}
