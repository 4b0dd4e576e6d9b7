// How a wall is divided, and which stream a tile of some size wants.

/**
 * `areas`: a letter for each cell, row by row, where tiles differ in size; null: all are one cell.
 * @typedef {{tiles: number, columns: number, rows: number, areas: string[] | null}} Layout
 */

/** @param {number} n @returns {Layout} */
const square = (n) => ({ tiles: n * n, columns: n, rows: n, areas: null });

/** Those with a name. @type {Record<string, Layout>} */
export const LAYOUTS = {
  ...{ 1: square(1), 4: square(2), 9: square(3), 16: square(4), 25: square(5) },
  '1+5': { tiles: 6, columns: 3, rows: 3, areas: ['aab', 'aac', 'def'] },
};

/** Rows and columns of a free layout at most. */
const MOST = 8;

/**
 * A layout by its name, or drawn: rows of letters, one letter for each tile, as in CSS's `grid-template-areas`: `aab aac def`.
 * null for what is none: unknown, of rows unlike in length, or with a tile that is no rectangle.
 * @param {string} text @returns {Layout | null}
 */
export function layoutOf(text) {
  const named = Object.hasOwn(LAYOUTS, text) ? LAYOUTS[text] : undefined;
  if (named) return named;
  const areas = text.trim().split(/\s+/);
  const columns = areas[0]?.length ?? 0;
  const right = columns > 0 && columns <= MOST && areas.length <= MOST && areas.every((row) => row.length === columns && /^[a-z]+$/i.test(row));
  if (!right) return null;
  const letters = lettersOf(areas);
  const whole = letters.every((letter) => {
    const { left, top, right: end, bottom } = boxOf(areas, letter);
    const rows = areas.slice(top, bottom);
    return areas.join('').split(letter).length - 1 === (end - left) * (bottom - top) && rows.every((row) => row.slice(left, end) === letter.repeat(end - left));
  });
  return whole ? { tiles: letters.length, columns, rows: areas.length, areas } : null;
}

/** In the order of reading: the first is the first camera's. @param {string[]} areas */
export const lettersOf = (areas) => [...new Set(areas.join(''))];

/** The cells that a letter spans. @param {string[]} areas @param {string} letter */
function boxOf(areas, letter) {
  const rows = areas.flatMap((row, i) => (row.includes(letter) ? [i] : []));
  const columns = areas.flatMap((row) => (row.includes(letter) ? [row.indexOf(letter), row.lastIndexOf(letter)] : []));
  return { top: Math.min(...rows), bottom: Math.max(...rows) + 1, left: Math.min(...columns), right: Math.max(...columns) + 1 };
}

/**
 * The camera above or below another one (`way` -1, 1), by their places in the whole order; the same one where there is none.
 * @param {number} index @param {-1 | 1} way @param {Layout | null} layout @param {number} columns  Of a layout by the number of cameras.
 */
export function beside(index, way, layout, columns) {
  if (!layout?.areas) return Math.max(0, index) + way * (layout?.columns ?? columns);
  const { areas, tiles } = layout;
  const letters = lettersOf(areas);
  const first = index - (index % tiles);
  const box = boxOf(areas, letters[index - first] ?? '');
  const row = areas[way < 0 ? box.top - 1 : box.bottom];
  return row === undefined ? index + (way < 0 ? -tiles : tiles) : first + letters.indexOf(row.charAt(box.left));
}

/** A tile keeps its new size for this long before its stream is changed, milliseconds. */
export const DWELL = 2000;
/** Device pixels across from which on a camera's main stream shows more than its smaller one. */
const WIDE = 720;
/** Either way by this much more: a tile at the border does not change to and fro. */
const SLACK = 1.2;

/** @param {number} width  Device pixels. @param {boolean} main  Does it show the main stream? */
export const wantsMain = (width, main) => (main ? width > WIDE / SLACK : width > WIDE * SLACK);

/** The page that a camera is on; null: none is. @param {number} index @param {{tiles: number} | null} layout */
export const pageOf = (index, layout) => (index < 0 ? null : layout ? Math.floor(index / layout.tiles) : 0);

/**
 * Cameras in an order kept from before: those it does not know keep their place behind, those that are gone are passed over.
 * @template T @param {T[]} cameras @param {string[]} order @param {(camera: T) => string} keyOf @returns {T[]}
 */
export function ordered(cameras, order, keyOf) {
  const places = new Map(order.map((key, at) => [key, at]));
  const place = (/** @type {T} */ camera) => places.get(keyOf(camera)) ?? Infinity;
  return [...cameras].sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)));
}

/**
 * An order in which these keys stand as they are given, and those that it had besides keep their places.
 * @param {string[]} order @param {string[]} keys
 */
export function merged(order, keys) {
  const given = new Set(keys);
  const left = [...given];
  // Where one of them stood, the next of them stands.
  const kept = order.map((key) => (given.has(key) ? (left.shift() ?? key) : key));
  return [...kept, ...left];
}
