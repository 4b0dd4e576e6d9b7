// The keys of the desk. One table; the dialog in index.html says the same.

/** @import {VigieWall} from '/player/index.js' */

/**
 * @typedef {object} Desk
 * @property {() => void} live
 * @property {() => void} pause
 * @property {(n: number) => void} step
 * @property {(seconds: number) => void} skip
 * @property {() => void} replay
 * @property {() => void} together
 * @property {() => void} help
 * @property {() => void} toTimeline
 * @property {() => Promise<void>} snapshot
 */

/** @param {KeyboardEvent} event @param {VigieWall} wall @param {Desk} desk */
export function keys(event, wall, desk) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  const path = event.composedPath();
  const target = path[0];
  if (document.querySelector('dialog[open]')) return;
  if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
  // A focused button keeps what presses it.
  if (target instanceof HTMLButtonElement && (event.key === ' ' || event.key === 'Enter')) return;
  /** @type {Record<string, () => void>} */
  const table = {
    l: desk.live,
    k: desk.pause,
    j: () => desk.skip(-10),
    r: desk.replay,
    m: desk.together,
    ' ': desk.pause,
    ',': () => desk.step(-1),
    '.': () => desk.step(1),
    s: () => void desk.snapshot(),
    t: desk.toTimeline,
    '?': desk.help,
  };
  const action = table[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action) action();
  else if (path.includes(wall) || !wall.key(event)) return;
  event.preventDefault();
}
