// Every word that a component shows, in one table per language, all of one shape. English is in two parts: words.js has what
// a live tile does without.

/** @import {Cause, CauseKind} from './protocol.js' */
/** @import {State} from './judge.js' */

/** A mark, so that colour is never alone. @type {Record<State, string>} */
export const MARKS = {
  ...{ idle: '○', loading: '◌', live: '●', late: '◐', stale: '⚠', 'no-signal': '⊘', damaged: '◪', 'out-of-clock': '◔' },
  ...{ paused: '❚❚', recorded: '▶', end: '■', 'no-right': '⛒', 'cannot-play': '⊘' },
};

/** A sentence, and where it takes words: `{0}`, `{1}` … @typedef {string} Phrase */

/**
 * @typedef {object} Table
 * @property {string} lang  BCP 47: how times of day and days are written.
 * @property {Record<State, string>} states
 * @property {Record<CauseKind, [what: string, then: string]>} causes  What is wrong, and what to do.
 * @property {Record<string, string>} gaps    Why a moment is not recorded.
 * @property {Record<string, string>} clocks  Where a time comes from.
 * @property {Record<'cannotPlay' | 'cannotPlayWhat' | 'h265' | 'h264' | 'noCamera' | 'late' | 'staleFor' | 'recordedAt' | 'keys' | 'back'
 *   | 'days' | 'staleSince' | 'damaged' | 'damagedWhat' | 'clockAhead' | 'clockBehind' | 'pausedAt' | 'endWhat' | 'notRecorded'
 *   | More, Phrase>} phrases
 */

/**
 * Said by the wall, the timeline and what is loaded on demand.
 * @typedef {'timeline' | 'cameras' | 'gap' | 'notYet' | 'recorded' | 'nothing' | 'moved' | 'picked' | 'away' | 'windowBlocked'
 *   | 'windowAlone' | 'noFullscreen' | 'zoomed' | 'ptz' | 'closer' | 'wider' | 'alarm' | 'hold'} More
 */

/** @type {Table} */
export const en = {
  lang: 'en-GB',
  states: {
    ...{ idle: 'off', loading: 'loading', live: 'live', late: 'late', stale: 'stale', 'no-signal': 'no signal' },
    ...{ damaged: 'damaged', 'out-of-clock': 'out of clock', paused: 'paused', recorded: 'recorded', end: 'end of recording' },
    ...{ 'no-right': 'no right to see', 'cannot-play': 'cannot play' },
  },
  causes: {
    'centre-unreachable': ['The centre does not answer.', 'Trying again by itself.'],
    'connection-lost': ['The connection to the centre broke.', 'Trying again by itself.'],
    refused: ['The centre refused: no right to see this camera, or the link has expired.', 'Open the page again from its printed address.'],
    'not-found': ['The centre does not know this camera.', 'Check its name in the centre’s configuration.'],
    'camera-silent': ['The camera sends nothing.', 'Trying again by itself.'],
    'camera-gone': ['The centre has lost the camera.', 'Check its power and its network; the picture comes back by itself.'],
    'no-video': ['The camera offers no video.', 'Check the profile in its address.'],
    protocol: ['The stream cannot be understood.', 'Trying again by itself.'],
    codec: ['The camera sends a codec that is neither H.264 nor H.265.', 'Set the camera to H.264.'],
    unsupported: ['This browser cannot play it.', 'Set the camera to H.264.'],
    'wasm-blocked': ['WebAssembly is blocked in the player’s Worker.', 'Serve worker.js with Content-Security-Policy: script-src ’self’ ’wasm-unsafe-eval’.'],
    'media-blocked': ['This page’s Content-Security-Policy blocks video from blob:.', 'Add media-src ’self’ blob: to the page’s policy; this browser plays live video by such an address only.'],
    decoder: ['The browser’s decoder gave up.', 'Reload the page.'],
    memory: ['The browser’s memory for video is full (QuotaExceededError).', 'Show fewer cameras on this page.'],
    'no-recording': ['Nothing is recorded there.', 'Pick another moment on the timeline.'],
    storage: ['The recording cannot be read.', 'Trying again by itself.'],
    worker: ['The player’s files did not load.', 'Check that worker.js and wasm/ are served next to index.js.'],
  },
  gaps: {
    ...{ camera: 'camera did not send', network: 'network was down', authentication: 'camera refused the password' },
    ...{ storage: 'store could not write', clock: 'clock was set', operator: 'stopped by an operator' },
    ...{ retention: 'kept time is over', damaged: 'the recording is damaged there', unknown: 'cause not known' },
  },
  clocks: {
    ...{ 'onvif-extension': 'ONVIF stamp', 'sender-report': 'RTCP SR', 'range-clock': 'PLAY range' },
    ...{ arrival: 'time of arrival', index: 'index' },
  },
  phrases: {
    cannotPlay: 'Cannot play {0}',
    cannotPlayWhat: 'Cannot play {0} ({1}) in this browser.',
    h265: 'Firefox 137 or Safari plays it, so does Chrome or Edge with a hardware decoder; or set the camera to H.264.',
    h264: 'Set the camera to the High or Main profile at 8 bits.',
    noCamera: 'No camera is chosen for this tile.',
    late: 'late {0}',
    staleFor: 'stale {0}',
    recordedAt: 'recorded ×{0}',
    keys: '×{0} key pictures',
    back: '×{0} in steps',
    staleSince: 'Stale since {0}',
    damaged: 'Damaged',
    damagedWhat: 'Packets were lost; whole again from the next key picture.',
    clockAhead: 'The camera’s clock is {0} ahead.',
    clockBehind: 'The camera’s clock is {0} behind.',
    pausedAt: 'Paused at {0}',
    endWhat: 'Last picture {0}.',
    notRecorded: 'Not recorded {0} – {1}: {2}.',
    days: 'd',
    // The rest is in words.js: a live tile does without.
    .../** @type {Record<More, Phrase>} */ ({}),
  },
};

/** @type {Map<string, Table>} */
const tables = new Map([['en', en]]);
/** Those that are loaded when a page is in their language. @type {Record<string, () => Promise<{default: Table}>>} */
const others = { fr: () => import('./fr.js') };
/** Who waits for one. @type {Map<string, Set<() => void>>} */
const waiting = new Map();

/** The language that an element is in, across shadow roots. @param {Element} element */
function languageOf(element) {
  for (let at = /** @type {Node | null} */ (element); at; at = at instanceof ShadowRoot ? at.host : at.parentNode) {
    const lang = at instanceof Element ? at.getAttribute('lang') : null;
    if (lang) return lang.toLowerCase().split('-')[0] ?? 'en';
  }
  return 'en';
}

/**
 * The table of an element's language: English until another one is loaded, and where there is none.
 * @param {Element} element @param {() => void} loaded  It is there now; the same function each time.
 */
export function textOf(element, loaded) {
  const lang = languageOf(element);
  const found = tables.get(lang);
  if (found) return found;
  const load = others[lang];
  if (!load) return en;
  let those = waiting.get(lang);
  if (!those) {
    those = new Set();
    waiting.set(lang, those);
    // Where it does not load it stays English.
    void load().catch(() => ({ default: en })).then((module) => {
      tables.set(lang, module.default);
      for (const tell of waiting.get(lang) ?? []) tell();
      waiting.delete(lang);
    });
  }
  those.add(loaded);
  return en;
}

/** @param {Phrase} phrase @param {(string | number)[]} words */
export const fill = (phrase, ...words) => phrase.replace(/\{(\d)\}/g, (_, n) => String(words[Number(n)] ?? ''));

/** @param {State} state */
export const mark = (state) => MARKS[state];

/** @param {string} cause @param {Pick<Table, 'gaps'>} [table] */
export const gapCause = (cause, table = en) => table.gaps[cause] ?? cause;

/**
 * What a browser that lacks a codec says of it.
 * @param {string} codec `H.264` or `H.265` @param {string} string RFC 6381 @param {Table} [table]
 */
export function unsupported(codec, string, { phrases } = en) {
  return { what: fill(phrases.cannotPlayWhat, codec, string), then: codec === 'H.265' ? phrases.h265 : phrases.h264 };
}

/** @param {Cause | null} cause @param {Pick<Table, 'causes'>} [table] */
export function explain(cause, { causes } = en) {
  if (!cause) return null;
  const [what, then] = causes[cause.kind] ?? causes.protocol;
  const text = cause.text ? `: ${cause.text}` : '';
  const code = cause.code ? ` (${cause.code})` : '';
  return { what: `${what.replace(/\.$/, '')}${text}${code}.`, then };
}
