// The words of wall, timeline and what is loaded on demand, put to those of the tile; and all of them for pages.

/** @import {CauseKind} from './protocol.js' */
/** @import {State} from './judge.js' */
import { MARKS, en, textOf as textOfTile } from './text.js';

Object.assign(
  en.phrases,
  /** @satisfies {Record<import('./text.js').More, string>} */ ({
    timeline: 'Timeline',
    cameras: 'Cameras',
    gap: 'gap {0} – {1} ({2}): {3}',
    notYet: 'not yet',
    recorded: 'recorded',
    nothing: 'nothing recorded',
    moved: '{0}: place {1} of {2}.',
    picked: '{0}: click the tile whose place it shall take.',
    away: 'All cameras are in another window. Closing it brings them back.',
    windowBlocked: 'The browser opened no second window. Allow pop-up windows for this page, then try again.',
    windowAlone: 'This window belongs to a wall: open it from there.',
    noFullscreen: 'The browser does not allow full screen here.',
    zoomed: 'zoom ×{0}',
    ptz: 'Move the camera: arrow keys, with Shift faster',
    closer: 'Closer',
    wider: 'Wider',
    alarm: 'alarm: {0}',
    hold: 'held: {0}',
  }),
);

/**
 * As of `text.js`. Taken from here it comes after these words, in a bundle too: by a bare import alone esbuild's chunks do not.
 * @param {Element} element @param {() => void} loaded
 */
export const textOf = (element, loaded) => textOfTile(element, loaded);

/**
 * All of them in a language, for pages: English where there is no table of it, or where it does not load.
 * @param {string} lang  BCP 47.
 * @returns {Promise<import('./text.js').Table>}
 */
export async function words(lang) {
  const [name] = lang.toLowerCase().split('-');
  return name === 'fr' ? import('./fr.js').then((module) => module.default, () => en) : en;
}

/** In English, for pages. @type {Record<State, {mark: string, word: string}>} */
export const STATES = /** @type {any} */ (
  Object.fromEntries(Object.entries(MARKS).map(([state, sign]) => [state, { mark: sign, word: en.states[/** @type {State} */ (state)] }]))
);
export const CLOCKS = en.clocks;
export const GAPS = en.gaps;
/** @type {Record<CauseKind, {what: string, then: string}>} */
export const CAUSES = /** @type {any} */ (Object.fromEntries(Object.entries(en.causes).map(([kind, [what, then]]) => [kind, { what, then }])));
