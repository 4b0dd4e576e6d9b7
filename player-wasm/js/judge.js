// What a tile may say of itself. A still picture never passes for a live one.

/** @import {Cause} from './protocol.js' */

/**
 * @typedef {'idle' | 'loading' | 'live' | 'late' | 'stale' | 'no-signal' | 'damaged' | 'out-of-clock' | 'paused'
 *   | 'recorded' | 'end' | 'no-right' | 'cannot-play'} State
 */

/**
 * Times in milliseconds on the page's monotonic clock, but for `delay` and `skew`: milliseconds.
 * @typedef {object} Evidence
 * @property {number} now
 * @property {boolean} open         Was the player asked to play anything?
 * @property {boolean} live         A live picture is wanted (else one of the recording).
 * @property {boolean} paused       By the operator.
 * @property {number} opened        When the present picture was asked for.
 * @property {number | null} shown  When the newest picture was shown; null: none since `opened`.
 * @property {boolean} old          An older picture is still on the screen, from before `opened`.
 * @property {number} interval      Between pictures, as the stream has them.
 * @property {number | null} delay  From the picture's UTC to now.
 * @property {number | null} skew   By how much the camera's clock differs from ours; null: it agrees.
 * @property {boolean} damaged      Packets were lost since the last picture that decoding can start at.
 * @property {boolean} up           Is the connection up?
 * @property {number} attempt       Tries to connect since it was last up.
 * @property {Cause | null} cause   What last went wrong and still does.
 * @property {boolean} ended        The recording's end was reached.
 */

/** @typedef {{state: State, cause: Cause | null}} Verdict */

/** Above this a live picture is late, milliseconds. */
export const LATE = 2000;
/** A picture may stand still this long, milliseconds; longer where the camera sends fewer than three a second. */
export const STILL = 1200;
/** Without any picture for this long there is no signal, milliseconds. */
export const NO_SIGNAL = 5000;

/** @type {ReadonlySet<string>} */
const FINAL = new Set(['codec', 'unsupported', 'wasm-blocked', 'media-blocked', 'worker', 'memory', 'decoder']);

/** @param {Evidence} e @returns {Verdict} */
export function judge(e) {
  const { cause } = e;
  if (!e.open) return { state: 'idle', cause: null };
  if (cause?.kind === 'refused') return { state: 'no-right', cause };
  if (cause && FINAL.has(cause.kind)) return { state: 'cannot-play', cause };
  if (e.paused && (e.shown !== null || e.old)) return { state: 'paused', cause: null };
  return e.live ? judgeLive(e) : judgeRecorded(e);
}

/** @param {Evidence} e @returns {Verdict} */
function judgeLive(e) {
  const { cause } = e;
  if (e.shown === null) {
    const waited = e.now - e.opened;
    if (waited < NO_SIGNAL && !(cause && e.attempt > 2)) return { state: e.old && waited > STILL ? 'stale' : 'loading', cause };
    return { state: e.old ? 'stale' : 'no-signal', cause };
  }
  if (e.now - e.shown > Math.max(STILL, 4 * e.interval)) {
    return { state: 'stale', cause: cause ?? { kind: e.up ? 'camera-silent' : 'connection-lost' } };
  }
  if (e.damaged) return { state: 'damaged', cause: null };
  if (e.skew !== null) return { state: 'out-of-clock', cause: null };
  if (e.delay !== null && e.delay > LATE) return { state: 'late', cause: null };
  return { state: 'live', cause: null };
}

/** @param {Evidence} e @returns {Verdict} */
function judgeRecorded(e) {
  const { cause } = e;
  if (e.ended) return { state: 'end', cause };
  if (e.shown !== null && e.now - e.shown < Math.max(STILL, 4 * e.interval)) return { state: 'recorded', cause: null };
  if (cause && (e.shown === null ? e.now - e.opened : e.now - e.shown) > STILL) return { state: 'no-signal', cause };
  return { state: 'loading', cause };
}
