// The timeline's scale: which moments are in view, and where they lie.

/** Microseconds. */
export const SECOND = 1_000_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The narrowest and the widest view. */
export const NARROWEST = SECOND;
export const WIDEST = 31 * DAY;

/** @typedef {{from: number, to: number}} Span  UTC microseconds. */

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].map((s) => s * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((m) => m * MINUTE))
  .concat([1, 2, 3, 6, 12].map((h) => h * HOUR))
  .concat([1, 2, 7].map((d) => d * DAY));

/**
 * The moments to write on the axis, on round times of the clock shown.
 * @param {Span} view @param {number} width pixels @param {number} zone microseconds that the clock is ahead of UTC
 */
export function ticks({ from, to }, width, zone = 0) {
  const room = Math.max(1, Math.floor(width / 96));
  let step = STEPS.find((s) => (to - from) / s <= room) ?? 7 * DAY;
  while ((to - from) / step > room) step *= 2;
  const list = [];
  for (let at = Math.ceil((from + zone) / step) * step - zone; at <= to; at += step) list.push(at);
  return { step, list };
}

/** @param {Span} view @param {number} utc @param {number} width */
export const xOf = ({ from, to }, utc, width) => ((utc - from) / (to - from)) * width;

/** @param {Span} view @param {number} x @param {number} width */
export const utcOf = ({ from, to }, x, width) => from + (x / width) * (to - from);

/** Wider (`factor` above 1) or narrower around a moment that stays where it is. @param {Span} view @param {number} around @param {number} factor @returns {Span} */
export function zoom({ from, to }, around, factor) {
  const length = Math.min(WIDEST, Math.max(NARROWEST, (to - from) * factor));
  const share = (around - from) / (to - from);
  return { from: around - share * length, to: around + (1 - share) * length };
}

/** What lies at a moment. @template {Span} T @param {T[]} spans @param {number} utc @returns {T | undefined} */
export const at = (spans, utc) => spans.find(({ from, to }) => from <= utc && utc < to);
