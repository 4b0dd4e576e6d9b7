// What a tile shows around and over its picture.

/** @import {Cause, Format, Gap, Picture} from './protocol.js' */
/** @import {State} from './judge.js' */
/** @import {Clock} from './time.js' */
/** @import {Table} from './text.js' */
import { element, sheet, write } from './dom.js';
import { explain, fill, gapCause, mark, unsupported } from './text.js';
import { day, span, timeOfDay, zone } from './time.js';

/**
 * @typedef {object} View
 * @property {State} state
 * @property {Cause | null} cause
 * @property {Picture | null} picture
 * @property {number | null} delay  milliseconds
 * @property {number | null} skew   milliseconds
 * @property {Format | null} format
 * @property {boolean} brief  It has been loading for a moment only, over an older picture.
 * @property {number} speed
 * @property {import('./trick.js').Mode} [mode]  How that is done.
 * @property {Clock} clock
 * @property {string} number
 * @property {string} label
 * @property {Table} text  The words, in the page's language.
 */

/** States in which what is on the screen is not what is there now. @type {ReadonlySet<State>} */
const DIMMED = new Set(['stale', 'no-signal', 'no-right', 'cannot-play', 'end']);
/** States that hide an old picture altogether. @type {ReadonlySet<State>} */
const PLATE = new Set(['idle', 'loading', 'no-signal', 'no-right', 'cannot-play']);
/** States that a strip over the picture explains. @type {ReadonlySet<State>} */
const STRIP = new Set(['stale', 'damaged', 'out-of-clock', 'paused', 'end']);
/** A word about a gap stays this long, milliseconds. */
const GAP_NOTE = 6000;

export const styles = sheet(`
  :host { display: block; min-width: 0; min-height: 0; container-type: inline-size; background: var(--_ground); }
  .tile { display: grid; grid-template-rows: auto minmax(0, 1fr); width: 100%; height: 100%; }
  .bar { display: flex; align-items: center; gap: 8px; min-width: 0; padding: 4px 10px; background: var(--_panel); white-space: nowrap; }
  .number { color: var(--_dim); font-weight: 600; }
  .number:empty { display: none; }
  .label { flex: 1 1 auto; overflow: hidden; text-overflow: ellipsis; font-weight: 600; }
  .time { color: var(--_text); }
  .chip { display: inline-flex; align-items: center; gap: 5px; padding: 0 7px; border-radius: 9px; background: var(--_raised); color: var(--_dim); }
  /* Dark in every theme: the words on it are for dark ground. */
  .picture { --_text: #e8eef3; --_dim: #a3b1bd; --_bad: #ff8577; position: relative; min-height: 0; background: #000; color: var(--_text); overflow: hidden; }
  video { display: block; width: 100%; height: 100%; object-fit: contain; background: #000; }
  .dimmed video { filter: grayscale(1) brightness(.42); }
  .blank video, :host([watermark]) .picture:not(.marked) video { visibility: hidden; }
  .brief video { filter: brightness(.72); }
  .plate { position: absolute; inset: 0; display: grid; place-content: center; justify-items: center; gap: 4px; padding: 12px 18px; text-align: center; text-wrap: balance; }
  .plate[hidden], .strip[hidden], .note[hidden] { display: none; }
  .plate .mark { font-size: 26px; line-height: 1.2; color: var(--_dim); }
  .plate .title { font-size: 15px; font-weight: 600; }
  .plate .what, .plate .then { max-width: 44ch; color: var(--_dim); }
  .plate .what { color: var(--_text); }
  .plate p { margin: 0; }
  .plate p:empty { display: none; }
  .strip, .note { position: absolute; inset: auto 0 0; padding: 5px 10px; background: rgb(13 17 21 / .86); color: #e8eef3; border-inline-start: 3px solid var(--_warn); }
  .strip b { font-weight: 600; color: #f6c765; }
  .note { inset: 0 0 auto; border-color: #a3b1bd; }
  /* Words in another direction than the page's keep their own: a name in Arabic, 120 ms beside it. */
  span, time, p, .strip, .note { unicode-bidi: plaintext; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  .live .chip { color: var(--_good); }
  .recorded .chip { color: var(--_accent); }
  .late .chip, .stale .chip, .damaged .chip, .out-of-clock .chip { color: var(--_warn); }
  .no-signal .chip, .no-right .chip, .cannot-play .chip,
  .no-signal .plate .mark, .no-right .plate .mark, .cannot-play .plate .mark { color: var(--_bad); }
  .stale .time { color: var(--_dim); text-decoration: line-through; text-decoration-color: var(--_warn); }
  .loading .plate .mark { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: .35 } }
  @media (prefers-reduced-motion: reduce) { .loading .plate .mark { animation: none } }
  @container (max-width: 330px) { .plate .then { display: none } .bar { gap: 6px; padding: 4px 6px } }
`);

/** Builds the tile's elements once and writes into them. */
export class Face {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.number = element('span', { class: 'number', part: 'number' });
    this.label = element('span', { class: 'label', part: 'label' });
    this.time = element('time', { class: 'time', part: 'time' });
    this.mark = element('span', { 'aria-hidden': 'true' });
    this.word = element('span');
    this.state = element('span', { class: 'unseen' });
    this.chip = element('span', { class: 'chip', part: 'state' }, this.mark, this.state, this.word);
    this.bar = element('div', { class: 'bar', part: 'bar' }, this.number, this.label, this.time, this.chip);
    this.plateMark = element('div', { class: 'mark', 'aria-hidden': 'true' });
    this.title = element('p', { class: 'title' });
    this.what = element('p', { class: 'what' });
    this.then = element('p', { class: 'then' });
    this.plate = element('div', { class: 'plate', part: 'plate' }, this.plateMark, this.title, this.what, this.then);
    this.stripWord = element('b');
    this.stripText = element('span');
    this.strip = element('div', { class: 'strip', part: 'strip' }, this.stripWord, ' ', this.stripText);
    this.note = element('div', { class: 'note', part: 'note', hidden: '' });
    this.picture = element('div', { class: 'picture', part: 'picture' }, video, this.strip, this.note, this.plate);
    this.tile = element('div', { class: 'tile' }, this.bar, this.picture);
  }

  /** @param {View} view */
  render(view) {
    const { state } = view;
    const plate = PLATE.has(state) && !view.brief;
    const name = ['tile', state, DIMMED.has(state) ? 'dimmed' : '', plate ? 'blank' : '', view.brief ? 'brief' : ''].join(' ');
    if (this.tile.className !== name) this.tile.className = name;
    this.plate.hidden = !plate;
    write(this.number, view.number);
    write(this.label, view.label);
    this.showTime(view);
    write(this.mark, mark(state));
    const word = chipWord(view);
    write(this.word, word);
    // A number of milliseconds says nothing to who does not see its colour and mark.
    write(this.state, word.startsWith(view.text.states[state]) ? '' : `${view.text.states[state]} `);
    this.#plate(view);
    this.#strip(view);
  }

  /** The time of the picture on the screen. @param {{picture: Picture | null, clock: Clock, state: State, text: Table}} view */
  showTime({ picture, clock, state, text: { lang } }) {
    const text = picture && !PLATE.has(state) ? timeOfDay(picture.utc, clock) : '';
    write(this.time, text);
    if (!text || !picture) return;
    this.time.dateTime = new Date(picture.utc / 1000).toISOString();
    this.time.title = `${day(picture.utc, clock, lang)}, ${zone(picture.utc, clock)}`;
  }

  /** @param {View} view */
  #plate({ state, cause, format, text }) {
    if (this.plate.hidden) return;
    const lacking = cause?.kind === 'unsupported' ? format : null;
    const reason = lacking ? unsupported(lacking.codec, lacking.string, text) : explain(cause, text);
    write(this.plateMark, mark(state));
    write(this.title, lacking ? fill(text.phrases.cannotPlay, lacking.codec) : capital(text.states[state]));
    write(this.what, reason?.what ?? (state === 'idle' ? text.phrases.noCamera : ''));
    write(this.then, reason?.then ?? '');
  }

  /** @param {View} view */
  #strip({ state, cause, picture, clock, skew, text }) {
    this.strip.hidden = !STRIP.has(state);
    if (this.strip.hidden) return;
    const { phrases, states } = text;
    const at = picture ? timeOfDay(picture.utc, clock, 0) : '';
    const reason = explain(cause, text);
    const [word, more] = {
      stale: [fill(phrases.staleSince, at), reason ? `${reason.what} ${reason.then}` : ''],
      damaged: [phrases.damaged, phrases.damagedWhat],
      'out-of-clock': [capital(states['out-of-clock']), fill((skew ?? 0) < 0 ? phrases.clockAhead : phrases.clockBehind, span(Math.abs(skew ?? 0), phrases))],
      paused: [fill(phrases.pausedAt, at), ''],
      end: [capital(states.end), fill(phrases.endWhat, at)],
    }[/** @type {'stale'} */ (state)];
    write(this.stripWord, `${mark(state)} ${word ?? ''}`);
    write(this.stripText, more ?? '');
  }

  /** Says that the playhead passed over a gap. @param {Gap} gap @param {Clock} clock @param {Table} text */
  gap({ from, to, cause }, clock, text) {
    write(this.note, fill(text.phrases.notRecorded, timeOfDay(from, clock, 0), timeOfDay(to, clock, 0), gapCause(cause, text)));
    this.note.hidden = false;
    clearTimeout(this.noting);
    this.noting = setTimeout(() => (this.note.hidden = true), GAP_NOTE);
  }
}

/** @param {View} view */
function chipWord({ state, delay, picture, speed, mode, text: { phrases, states } }) {
  const late = delay === null ? '' : span(Math.max(0, delay), phrases);
  switch (state) {
    case 'live':
      return late || states.live;
    case 'late':
      return fill(phrases.late, late);
    case 'recorded':
      if (mode === 'keys' || mode === 'back') return fill(phrases[mode], String(speed).replace('-', '−'));
      return speed === 1 ? states.recorded : fill(phrases.recordedAt, speed);
    case 'stale':
      return picture ? fill(phrases.staleFor, late) : states.stale;
    default:
      return states[state];
  }
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
