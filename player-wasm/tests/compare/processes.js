// What a program and its children take: processor time and memory, out of /proc.

import { readdirSync, readFileSync } from 'node:fs';

/** Of `utime` and `stime`: sysconf(_SC_CLK_TCK), 100 wherever Linux runs these. */
const TICKS = 100;

/** Fields of /proc/PID/stat from the third on, or null where it has ended. @param {number | string} pid */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** A process and all below it. @param {number} root */
export function family(root) {
  const children = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = Number(stat(pid)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(pid)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** Seconds of processor time, of each process. @param {number} root @returns {Map<number, number>} */
export const times = (root) =>
  new Map(family(root).map((pid) => {
    const fields = stat(pid);
    return [pid, fields ? (Number(fields[11]) + Number(fields[12])) / TICKS : 0];
  }));

/** Seconds that passed on processors between two; what began in between counts whole. @param {Map<number, number>} before @param {Map<number, number>} after */
export const spent = (before, after) => [...after].reduce((sum, [pid, time]) => sum + Math.max(0, time - (before.get(pid) ?? 0)), 0);

/** Bytes that it keeps in memory, shared pages shared out (PSS). @param {number} root */
export function memory(root) {
  const sizes = family(root).map((pid) => {
    try {
      return 1024 * Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
    } catch {
      return 0;
    }
  });
  return sizes.reduce((a, b) => a + b, 0);
}

/** Seconds of processor time that all programs of this machine took since it began, those at idle priority too. */
export function busy() {
  const [, user, nice, system, , , irq, soft] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].split(/\s+/).map(Number);
  return (user + nice + system + irq + soft) / TICKS;
}
