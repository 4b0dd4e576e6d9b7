// Paints the timeline: plain canvas, so that a month of ranges costs no more than an hour of them.

/** @import {Row} from './timeline.js' */
/** @import {Span} from './scale.js' */
/** @import {Clock} from './time.js' */
/** @import {Table} from './text.js' */
import { SECOND, ticks, xOf } from './scale.js';
import { day, minuteOfDay, timeOfDay } from './time.js';

/** Heights, pixels. */
export const AXIS = 26;
export const ROW = 24;

/**
 * @typedef {object} Scene
 * @property {Row[]} rows
 * @property {Span} view
 * @property {number} now
 * @property {number | null} position
 * @property {number} selected  Index of the row; -1: none.
 * @property {number | null} hover
 * @property {Clock} clock
 * @property {number} zone      Microseconds that the clock shown is ahead of UTC.
 * @property {Table} text
 */

/** @typedef {Record<'panel' | 'raised' | 'line' | 'text' | 'dim' | 'accent' | 'good' | 'warn' | 'bad' | 'range' | 'selected' | 'font', string>} Palette */

/** The host's colours. @param {Element} host @returns {Palette} */
export function palette(host) {
  const style = getComputedStyle(host);
  const take = (/** @type {string} */ name, /** @type {string} */ or = '#888') => style.getPropertyValue(name).trim() || or;
  return {
    ...{ panel: take('--_panel'), raised: take('--_raised'), line: take('--_line'), text: take('--_text') },
    ...{ dim: take('--_dim'), accent: take('--_accent'), good: take('--_good'), warn: take('--_warn'), bad: take('--_bad') },
    ...{ range: take('--vigie-range', '#3d6a96'), selected: take('--vigie-range-selected', '#5b9bd8') },
    font: style.fontFamily || 'sans-serif',
  };
}

/** @param {HTMLCanvasElement} canvas @param {Palette} colours @param {Scene} scene */
export function draw(canvas, colours, scene) {
  const width = canvas.clientWidth;
  const height = AXIS + Math.max(1, scene.rows.length) * ROW;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.setProperty('height', `${height}px`);
  }
  const paint = canvas.getContext('2d');
  if (!paint || !width) return;
  paint.setTransform(ratio, 0, 0, ratio, 0, 0);
  paint.fillStyle = colours.panel;
  paint.fillRect(0, 0, width, height);
  axis(paint, colours, scene, width, height);
  for (const [i, row] of scene.rows.entries()) track(paint, colours, scene, row, i, width);
  marks(paint, colours, scene, width, height);
}

/** @param {CanvasRenderingContext2D} paint @param {Palette} colours @param {Scene} scene @param {number} width @param {number} height */
function axis(paint, colours, { view, clock, zone, now, position, text }, width, height) {
  const { step, list } = ticks(view, width, zone);
  const flagged = xOf(view, position ?? now, width);
  paint.font = `13px ${colours.font}`;
  paint.textBaseline = 'middle';
  paint.textAlign = 'center';
  for (const utc of list) {
    const x = Math.round(xOf(view, utc, width)) + 0.5;
    paint.strokeStyle = colours.line;
    paint.beginPath();
    paint.moveTo(x, AXIS - 5);
    paint.lineTo(x, height);
    paint.stroke();
    const midnight = (utc + zone) % (86_400 * SECOND) === 0;
    const label = midnight ? day(utc, clock, text.lang).replace(/ \d+$/, '') : step < 60 * SECOND ? timeOfDay(utc, clock, step < SECOND ? 1 : 0) : minuteOfDay(utc, clock);
    paint.fillStyle = midnight ? colours.text : colours.dim;
    if (x > 30 && x < width - 30 && Math.abs(x - flagged) > 66) paint.fillText(label, x, AXIS / 2);
  }
}

/**
 * @param {CanvasRenderingContext2D} paint @param {Palette} colours @param {Scene} scene @param {Row} row
 * @param {number} index @param {number} width
 */
function track(paint, colours, { view, selected, now }, row, index, width) {
  const top = AXIS + index * ROW;
  paint.fillStyle = index === selected ? colours.raised : colours.panel;
  paint.fillRect(0, top + 1, width, ROW - 2);
  const bar = (/** @type {Span} */ { from, to }) => {
    const x = Math.max(0, xOf(view, from, width));
    const end = Math.min(width, xOf(view, Math.min(to, now), width));
    return end <= 0 || x >= width ? null : /** @type {const} */ ([x, top + 5, Math.max(1, end - x), ROW - 10]);
  };
  paint.fillStyle = index === selected ? colours.selected : colours.range;
  for (const range of row.ranges) {
    const box = bar(range);
    if (box) paint.fillRect(...box);
  }
  for (const gap of row.gaps) {
    const box = bar(gap);
    if (box) hatch(paint, colours, box);
  }
  // Told apart by their shapes as well: a bracket over what is held, a foot and a tip under an alarm.
  paint.fillStyle = colours.text;
  for (const [x, y, wide] of (row.holds ?? []).flatMap((hold) => [bar(hold) ?? []])) {
    if (x === undefined || y === undefined || wide === undefined) continue;
    paint.fillRect(x, y - 3, wide, 1.5);
    for (const end of [x, x + wide - 1.5]) paint.fillRect(end, y - 3, 1.5, 5);
  }
  paint.fillStyle = colours.bad;
  for (const [x, y, wide] of (row.alarms ?? []).flatMap((alarm) => [bar(alarm) ?? []])) {
    if (x === undefined || y === undefined || wide === undefined) continue;
    const foot = y + ROW - 10;
    paint.fillRect(x, foot, wide, 2.5);
    paint.beginPath();
    paint.moveTo(x - 4, foot + 2.5);
    paint.lineTo(x, foot - 6);
    paint.lineTo(x + 4, foot + 2.5);
    paint.fill();
  }
}

/** A gap: hatched, so that it is told from a range without its colour. @param {CanvasRenderingContext2D} paint @param {Palette} colours @param {readonly [number, number, number, number]} box */
function hatch(paint, colours, [x, y, width, height]) {
  paint.save();
  paint.beginPath();
  paint.rect(x, y, Math.max(2, width), height);
  paint.fillStyle = colours.panel;
  paint.fill();
  paint.clip();
  paint.strokeStyle = colours.warn;
  paint.lineWidth = 1.5;
  paint.beginPath();
  for (let at = x - height - (x % 6); at < x + width + 6; at += 6) {
    paint.moveTo(at, y + height);
    paint.lineTo(at + height, y);
  }
  paint.stroke();
  paint.restore();
}

/** @param {CanvasRenderingContext2D} paint @param {Palette} colours @param {Scene} scene @param {number} width @param {number} height */
function marks(paint, colours, { view, now, position, hover, clock, text }, width, height) {
  const line = (/** @type {number} */ utc, /** @type {string} */ colour, /** @type {number} */ thick) => {
    const x = xOf(view, utc, width);
    if (x < -1 || x > width + 1) return null;
    paint.fillStyle = colour;
    paint.fillRect(x - thick / 2, AXIS - 6, thick, height - AXIS + 6);
    return x;
  };
  if (hover !== null) line(hover, colours.dim, 1);
  const x = line(now, colours.good, position === null ? 2 : 1);
  if (position === null && x !== null) flag(paint, colours.good, colours, text.states.live.toUpperCase(), x, width);
  if (position === null) return;
  const at = line(position, colours.accent, 2);
  if (at !== null) flag(paint, colours.accent, colours, timeOfDay(position, clock, 0), at, width);
}

/** @param {CanvasRenderingContext2D} paint @param {string} colour @param {Palette} colours @param {string} text @param {number} x @param {number} width */
function flag(paint, colour, colours, text, x, width) {
  paint.font = `600 13px ${colours.font}`;
  const wide = paint.measureText(text).width + 12;
  const left = Math.min(width - wide, Math.max(0, x - wide / 2));
  paint.fillStyle = colour;
  paint.fillRect(left, 2, wide, AXIS - 7);
  paint.fillStyle = colours.panel;
  paint.textAlign = 'left';
  paint.textBaseline = 'middle';
  paint.fillText(text, left + 6, AXIS / 2 - 1);
}
