// Which part of a picture shows: numbers alone.

/**
 * `scale` from 1 (all of it) to {@link MOST}; `x` and `y`: what is in the middle, as shares of the tile from its left and its top.
 * @typedef {{scale: number, x: number, y: number}} View
 */

export const MOST = 12;

/** Within its bounds: nothing shows beside the picture. @param {View} view @returns {View} */
export function bounded({ scale, x, y }) {
  const s = Math.min(MOST, Math.max(1, scale || 1));
  const within = (/** @type {number} */ at) => Math.min(1 - 0.5 / s, Math.max(0.5 / s, Number.isFinite(at) ? at : 0.5));
  return { scale: s, x: within(x), y: within(y) };
}

/** Larger or smaller around a place of the tile, which stays where it is. @param {View} view @param {number} factor @param {number} px @param {number} py */
export function zoomed({ scale, x, y }, factor, px, py) {
  const to = Math.min(MOST, Math.max(1, scale * factor));
  return bounded({ scale: to, x: x + (px - 0.5) * (1 / scale - 1 / to), y: y + (py - 0.5) * (1 / scale - 1 / to) });
}

/** The picture follows a pointer by shares of the tile. @param {View} view @param {number} dx @param {number} dy */
export const moved = ({ scale, x, y }, dx, dy) => bounded({ scale, x: x - dx / scale, y: y - dy / scale });
