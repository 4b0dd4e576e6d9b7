// What was measured, as a table.

/** Of several rounds, each value's median; of the tiles that play, the least. @param {Record<string, any>[]} rounds */
export function median(rounds) {
  const middle = (/** @type {number[]} */ values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const entries = Object.entries(rounds[0]).map(([key, value]) => {
    const values = rounds.map((round) => round[key]);
    if (key === 'playing') return [key, Math.min(...values)];
    if (Array.isArray(value)) return [key, value.map((_, i) => middle(values.map((one) => one[i] ?? NaN)))];
    return [key, typeof value === 'number' ? middle(values) : value];
  });
  return Object.fromEntries(entries);
}

const whole = (n) => (Number.isFinite(n) ? String(Math.round(n)) : '–');
const COLUMNS = {
  'player': (r) => r.name,
  'tiles': (r) => String(r.playing),
  'first picture ms (median, last)': (r) => r.first.map(whole).join(', '),
  'delay ms (p50, p95)': (r) => r.delay.map(whole).join(', '),
  'pictures/s (slowest tile)': (r) => `${r.rate.toFixed(1)} (${r.slowest.toFixed(1)})`,
  'dropped %': (r) => r.dropped.toFixed(1),
  'not shown %': (r) => r.unseen.toFixed(1),
  'CPU': (r) => r.cpu.toFixed(2),
  'memory MB': (r) => whole(r.memory / 1e6),
  'code KB': (r) => (r.code / 1000).toFixed(1),
  'server CPU': (r) => r.feeding.toFixed(2),
  'server ms': (r) => whole(r.relay),
  'other programs CPU': (r) => r.foreign.toFixed(2),
};

/** @param {Record<string, any>[]} results */
export function table(results) {
  const rows = [Object.keys(COLUMNS), ...results.map((r) => Object.values(COLUMNS).map((cell) => cell(r)))];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(rows[0]), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.slice(1).map(line)].join('\n');
}
