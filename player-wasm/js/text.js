// Every word that a component shows, in one place.

/** @import {Cause, CauseKind} from './protocol.js' */
/** @import {State} from './judge.js' */

/** A mark, so that colour is never alone, and a word. @type {Record<State, {mark: string, word: string}>} */
export const STATES = {
  idle: { mark: '○', word: 'off' },
  loading: { mark: '◌', word: 'loading' },
  live: { mark: '●', word: 'live' },
  late: { mark: '◐', word: 'late' },
  stale: { mark: '⚠', word: 'stale' },
  'no-signal': { mark: '⊘', word: 'no signal' },
  damaged: { mark: '◪', word: 'damaged' },
  'out-of-clock': { mark: '◔', word: 'out of clock' },
  paused: { mark: '❚❚', word: 'paused' },
  recorded: { mark: '▶', word: 'recorded' },
  end: { mark: '■', word: 'end of recording' },
  'no-right': { mark: '⛒', word: 'no right to see' },
  'cannot-play': { mark: '⊘', word: 'cannot play' },
};

/** What is wrong, and what to do. @type {Record<CauseKind, {what: string, then: string}>} */
export const CAUSES = {
  'centre-unreachable': { what: 'The centre does not answer.', then: 'Trying again by itself.' },
  'connection-lost': { what: 'The connection to the centre broke.', then: 'Trying again by itself.' },
  refused: { what: 'The centre refused: no right to see this camera, or the link has expired.', then: 'Open the page again from its printed address.' },
  'not-found': { what: 'The centre does not know this camera.', then: 'Check its name in the centre’s configuration.' },
  'camera-silent': { what: 'The camera sends nothing.', then: 'Trying again by itself.' },
  'camera-gone': { what: 'The centre has lost the camera.', then: 'Check its power and its network; the picture comes back by itself.' },
  'no-video': { what: 'The camera offers no video.', then: 'Check the profile in its address.' },
  protocol: { what: 'The stream cannot be understood.', then: 'Trying again by itself.' },
  codec: { what: 'The camera sends a codec that is neither H.264 nor H.265.', then: 'Set the camera to H.264.' },
  unsupported: { what: 'This browser cannot play it.', then: 'Set the camera to H.264.' },
  'wasm-blocked': {
    what: 'WebAssembly is blocked in the player’s Worker.',
    then: 'Serve worker.js with Content-Security-Policy: script-src ’self’ ’wasm-unsafe-eval’.',
  },
  'media-blocked': {
    what: 'This page’s Content-Security-Policy blocks video from blob:.',
    then: 'Add media-src ’self’ blob: to the page’s policy; this browser plays live video by such an address only.',
  },
  decoder: { what: 'The browser’s decoder gave up.', then: 'Reload the page.' },
  memory: { what: 'The browser’s memory for video is full (QuotaExceededError).', then: 'Show fewer cameras on this page.' },
  'no-recording': { what: 'Nothing is recorded there.', then: 'Pick another moment on the timeline.' },
  storage: { what: 'The recording cannot be read.', then: 'Trying again by itself.' },
  worker: { what: 'The player’s files did not load.', then: 'Check that worker.js and wasm/ are served next to index.js.' },
};

/** Why a moment is not recorded. @type {Record<string, string>} */
export const GAPS = {
  camera: 'camera did not send',
  network: 'network was down',
  authentication: 'camera refused the password',
  storage: 'store could not write',
  clock: 'clock was set',
  operator: 'stopped by an operator',
  retention: 'kept time is over',
  damaged: 'the recording is damaged there',
  unknown: 'cause not known',
};

/** @param {string} cause */
export const gapCause = (cause) => GAPS[cause] ?? cause;

/** Where a time comes from. @type {Record<string, string>} */
export const CLOCKS = {
  'onvif-extension': 'ONVIF stamp',
  'sender-report': 'RTCP SR',
  'range-clock': 'PLAY range',
  arrival: 'time of arrival',
  index: 'index',
};

/**
 * What a browser that lacks a codec says of it.
 * @param {string} codec `H.264` or `H.265` @param {string} string RFC 6381
 */
export function unsupported(codec, string) {
  return {
    what: `Cannot play ${codec} (${string}) in this browser.`,
    then:
      codec === 'H.265'
        ? 'Firefox 137 or Safari plays it, so does Chrome or Edge with a hardware decoder; or set the camera to H.264.'
        : 'Set the camera to the High or Main profile at 8 bits.',
  };
}

/** @param {Cause | null} cause */
export function explain(cause) {
  if (!cause) return null;
  const { what, then } = CAUSES[cause.kind] ?? CAUSES.protocol;
  const text = cause.text ? `: ${cause.text}` : '';
  const code = cause.code ? ` (${cause.code})` : '';
  return { what: `${what.replace(/\.$/, '')}${text}${code}.`, then };
}
