// Sixteen simulated cameras, the table of what they sent, and a centre that watches them.

import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as centre from '../browser/centre.js';

export const COUNT = 16;
/** As cameras send at this size. */
const KBPS = 1000;
/** Every second clip is H.264 without B pictures, which all contenders can play. */
const NAMES = Array.from({ length: COUNT }, (_, i) => `cam${2 * i + 1}`);

/** Its own folder; resolves once the cameras are there. */
export async function simulate() {
  const folder = mkdtempSync(join(tmpdir(), 'vigie-compare-'));
  const file = join(folder, 'pictures.jsonl');
  const options = ['simulate', '--json', '--listen', '127.0.0.1:0', '--cameras', String(2 * COUNT), '--kbps', String(KBPS), '--table', file];
  const child = spawn(centre.binary('vigie'), options, { stdio: ['ignore', 'pipe', 'pipe'] });
  const gone = new Promise((done) => child.on('exit', done));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const listening = await new Promise((done, fail) => {
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.includes('\n')) done(JSON.parse(said.slice(0, said.indexOf('\n'))));
    });
    child.stderr.resume();
    child.on('error', fail);
    gone.then((code) => fail(new Error(`vigie simulate ended with ${code}`)));
  });
  const urls = Object.fromEntries(listening.cameras.filter(({ name }) => NAMES.includes(name)).map(({ name, url }) => [name, url]));
  const sent = new Map(NAMES.map((name) => [name, []]));
  const lines = openSync(file, 'r');
  let at = 0;
  return {
    names: NAMES,
    urls,
    /** What each camera sent, as it sent it: `[number, UTC in milliseconds]`. @returns {Map<string, [number, number][]>} */
    table() {
      const more = Buffer.alloc(statSync(file).size - at);
      readSync(lines, more, 0, more.length, at);
      const whole = more.subarray(0, more.lastIndexOf(10) + 1);
      at += whole.length;
      for (const line of String(whole).split('\n').filter(Boolean)) {
        const { camera, number, micros } = JSON.parse(line);
        sent.get(camera)?.push([number, micros / 1000]);
      }
      return sent;
    },
    /** A centre that records them, with the page of `web`. @param {string} web */
    async centre(web) {
      const cameras = Object.entries(urls).map(([name, url]) => `[[tenant.camera]]\nid = "${name}"\nurl = "${url}"\n`);
      const config = join(folder, 'centre.toml');
      writeFileSync(config, `store = "store"\n[[tenant]]\nid = "compare"\n${cameras.join('')}`);
      return centre.start(['run', config], web);
    },
    async stop() {
      child.kill('SIGINT');
      await gone;
      closeSync(lines);
    },
  };
}

/** Where in a camera's table a picture stands that was on a screen at that moment; the clips begin anew each minute. @param {[number, number][]} sent @param {number} number @param {number} at */
export function find(sent, number, at) {
  for (let i = sent.length - 1; i >= 0; i -= 1) if (sent[i][1] <= at && sent[i][0] === number) return i;
  return -1;
}
