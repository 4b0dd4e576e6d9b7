// How a wall is divided, and which stream a tile of some size wants.

/** Tiles, and columns (as many rows). @type {Record<string, {tiles: number, columns: number}>} */
export const LAYOUTS = {
  1: { tiles: 1, columns: 1 },
  4: { tiles: 4, columns: 2 },
  9: { tiles: 9, columns: 3 },
  16: { tiles: 16, columns: 4 },
  25: { tiles: 25, columns: 5 },
  '1+5': { tiles: 6, columns: 3 },
};

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
