// Runs a packed module: `node smoke.mjs GLUE.js MODULE.wasm`. A module may compile and still not work.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const [glue, module] = process.argv.slice(2);
const player = await import(pathToFileURL(glue).href);
await player.default({ module_or_path: await readFile(module) });
const version = player.version();
if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`version() gave ${version}`);
