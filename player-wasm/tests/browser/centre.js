// Starts `vigie-centre` (its demo, if nothing else is asked for) and stops it again.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');

/** A binary: `VIGIE_CENTRE` (or `VIGIE_CLI` for `vigie`), or what cargo built last. */
export function binary(name = 'vigie-centre') {
  const given = process.env[name === 'vigie-centre' ? 'VIGIE_CENTRE' : 'VIGIE_CLI'];
  if (given) return given;
  const built = ['release', 'debug'].map((profile) => join(target, profile, name)).filter(existsSync);
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0] ?? null;
}

/**
 * Resolves once it has printed its address.
 * @param {string[]} [command]  `run` and a configuration, in place of the demo. @param {string} [web]  The page's folder.
 */
export async function start(command = ['demo'], web = join(root, 'examples/centre/web')) {
  const store = mkdtempSync(join(tmpdir(), 'vigie-browser-'));
  const began = Date.now();
  const options = [...command, '--listen', '127.0.0.1:0', '--store', store];
  options.push('--web', web, '--player', join(root, 'player-wasm/dist'));
  const child = spawn(binary(), options, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const address = await new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`no address after 20 s; it said: ${said}`)), 20_000);
    const hear = (chunk) => {
      said += chunk;
      const found = /https?:\/\/\S+#token=\S+/.exec(said);
      if (found) {
        clearTimeout(late);
        done(found[0]);
      }
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', (code) => fail(new Error(`it ended with ${code}: ${said}`)));
  });
  child.removeAllListeners('exit');
  const url = new URL(address);
  const token = new URLSearchParams(url.hash.slice(1)).get('token');
  const base = url.origin;
  const api = async (path, init = {}) => {
    const headers = { Authorization: `Bearer ${token}`, ...init.headers };
    return fetch(new URL(path, base), { ...init, headers });
  };
  return {
    address,
    base,
    token,
    began,
    pid: child.pid,
    api,
    said: () => said,
    /** What the simulator sent: `loop:number` → UTC in milliseconds. @param {string} key @param {number} from @param {number} to */
    async table(key, from, to) {
      const iso = (ms) => encodeURIComponent(new Date(ms).toISOString());
      const answer = await api(`/api/demo/pictures/${key}?from=${iso(from)}&to=${iso(to)}`);
      if (!answer.ok) throw new Error(`the table of ${key}: HTTP ${answer.status}`);
      return (await answer.json()).map(([loop, number, utc]) => ({ loop, number, utc: Date.parse(utc) + Number(utc.slice(23, 26) || 0) / 1000 }));
    },
    async order(key, order) {
      const answer = await api(`/api/demo/camera/${key}/${order}`, { method: 'POST', headers: { Origin: base } });
      if (!answer.ok) throw new Error(`${order} ${key}: HTTP ${answer.status}`);
    },
    async stop() {
      const gone = new Promise((done) => child.on('exit', done));
      child.kill('SIGINT');
      const hard = setTimeout(() => child.kill('SIGKILL'), 4000);
      await gone;
      clearTimeout(hard);
      rmSync(store, { recursive: true, force: true });
    },
  };
}
