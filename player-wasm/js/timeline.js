// <vigie-timeline>: what is recorded and what is not, camera by camera; a click plays that moment.

/** @import {Span} from './scale.js' */
/** @import {Clock} from './time.js' */
import { element, sheet, theme, upgrade, write } from './dom.js';
import { SECOND, at, utcOf, xOf, zoom } from './scale.js';
import { AXIS, ROW, draw, palette } from './timeline-draw.js';
import { fill, gapCause } from './text.js';
import { day, span, timeOfDay, zone } from './time.js';
import { textOf } from './words.js';

/** @typedef {Span & {cause: string}} GapSpan */
/** What is marked, in the page's own words: what happened, or the case that it is kept for. @typedef {Span & {label: string}} MarkSpan */

/**
 * One camera's row.
 * @typedef {object} Row
 * @property {string} key
 * @property {string} label
 * @property {Span[]} ranges   Recorded, in order.
 * @property {GapSpan[]} gaps  Not recorded, and why.
 * @property {MarkSpan[]} [alarms]  What the page calls one.
 * @property {MarkSpan[]} [holds]   Kept beyond their time.
 */

/** @typedef {(key: string, utc: number, signal: AbortSignal) => Promise<import('./preview.js').Preview | null>} PictureOf */

/** A press that moves further than this is a drag, pixels. */
const SLOP = 4;
/** While the playhead is dragged the picture follows this often, milliseconds. */
const SCRUB = 250;
/** Under the pointer a picture is asked for no more often than this, milliseconds; the one before is cancelled then. */
const LOOK = 120;

const styles = sheet(`
  :host { display: block; min-width: 0; background: var(--_panel); user-select: none; -webkit-user-select: none; }
  .all { display: grid; grid-template-columns: minmax(96px, 190px) minmax(0, 1fr); height: 100%; overflow: hidden auto; }
  .labels { padding-top: ${AXIS}px; border-inline-end: 1px solid var(--_line); }
  .labels div { height: ${ROW}px; padding: 0 10px; line-height: ${ROW}px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; unicode-bidi: plaintext; color: var(--_dim); cursor: pointer; }
  .labels div[data-selected] { color: var(--_text); font-weight: 600; background: var(--_raised); }
  /* Time runs from left to right in every script. */
  .track { direction: ltr; position: relative; cursor: crosshair; touch-action: pan-y; }
  .track:focus-visible { outline: 2px solid var(--_text); outline-offset: -2px; }
  canvas { display: block; width: 100%; }
  .tip { position: absolute; z-index: 2; top: 0; max-width: 340px; padding: 3px 8px; background: var(--_raised); color: var(--_text); border: 1px solid var(--_line); border-radius: 4px; pointer-events: none; white-space: nowrap; unicode-bidi: plaintext; }
  .tip[hidden] { display: none; }
  .shot { position: fixed; inset: auto; margin: 0; padding: 3px; border: 1px solid var(--_line); border-radius: 4px; background: var(--_raised); color: var(--_text); pointer-events: none; text-align: center; }
  .shot canvas { width: auto; }
`);

/**
 * Properties: `rows`, `view` (UTC microseconds `{from, to}`), `now`, `position` (the moment on the screen), `live`,
 * `selected` (a row's key), `clock`. Events: `vigie-seek` (detail: `{utc, key}`; where `live` is true, back to the
 * present), `vigie-scrub` (the same, while dragging), `vigie-view` (the view changed), `vigie-row` (a row was chosen), `vigie-shuttle`
 * (detail: -1, 0 or 1, keys J, K, L) and `vigie-step` (detail: -1 or 1, comma and full stop: a picture back or on). `pictures` gives a small picture of a moment, shown above the pointer
 * (`VigiePreviews`); what the pointer has left is cancelled.
 */
export class VigieTimeline extends HTMLElement {
  /** @type {Row[]} */
  #rows = [];
  #now = Date.now() * 1000;
  /** @type {Span} */
  #view = { from: this.#now - 600 * SECOND, to: this.#now + 20 * SECOND };
  #follows = true;
  /** @type {number | null} */
  #position = null;
  #live = true;
  /** @type {string | null} */
  #selected = null;
  /** @type {Clock} */
  #clock = 'local';
  #canvas = element('canvas', { 'aria-hidden': 'true' });
  #labels = element('div', { class: 'labels' });
  #tip = element('div', { class: 'tip', hidden: '' });
  #track = element('div', { class: 'track', role: 'slider', tabindex: '0' }, this.#canvas, this.#tip);
  /** @type {{x: number, y: number, moved: boolean, pan: boolean, view: Span} | null} */
  #press = null;
  #shot = element('div', { class: 'shot', popover: 'manual', 'aria-hidden': 'true' });
  /** Gives a small picture of a moment. @type {PictureOf | null} */
  pictures = null;
  #looking = new AbortController();
  #waits = 0;
  /** Where the pointer was last. @type {{utc: number, row: Row | undefined, x: number}} */
  #last = { utc: 0, row: undefined, x: 0 };
  #scrubbed = 0;
  /** Where the pointer is, for the line under it. @type {number | null} */
  #hover = null;
  #drawing = 0;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [theme, styles];
    root.append(element('div', { class: 'all' }, this.#labels, this.#track), this.#shot);
    this.#track.addEventListener('pointerdown', (event) => this.#down(event));
    this.#track.addEventListener('pointermove', (event) => this.#move(event));
    this.#track.addEventListener('pointerup', (event) => this.#up(event));
    this.#track.addEventListener('pointercancel', () => (this.#press = null));
    this.#track.addEventListener('pointerleave', () => this.#leave());
    this.#track.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    this.#track.addEventListener('keydown', (event) => this.#key(event));
    this.#labels.addEventListener('click', (event) => {
      const index = [...this.#labels.children].indexOf(/** @type {Element} */ (event.target));
      this.#choose(this.#rows[index]?.key ?? null);
    });
    new ResizeObserver(() => this.#dirty()).observe(this.#track);
  }

  connectedCallback() {
    upgrade(this, ['rows', 'view', 'now', 'position', 'live', 'selected', 'clock', 'pictures']);
    this.#speak();
    this.#dirty();
  }

  disconnectedCallback() {
    this.#leave();
  }

  get rows() {
    return this.#rows;
  }

  set rows(rows) {
    this.#rows = rows;
    const labels = rows.map((row) => row.label);
    if (labels.join('\n') !== [...this.#labels.children].map((l) => l.textContent).join('\n')) {
      this.#labels.replaceChildren(...labels.map((label) => element('div', { title: label }, label)));
    }
    this.#mark();
    this.#dirty();
  }

  get view() {
    return this.#view;
  }

  set view(view) {
    this.#view = view;
    this.#dirty();
  }

  /** The present by the centre's clock; the view follows it as long as it is in view. */
  get now() {
    return this.#now;
  }

  set now(now) {
    const passed = now - this.#now;
    this.#now = now;
    if (this.#follows && !this.#press) this.#view = { from: this.#view.from + passed, to: this.#view.to + passed };
    this.#dirty();
  }

  get position() {
    return this.#position;
  }

  set position(utc) {
    this.#position = utc;
    this.#speak();
    this.#dirty();
  }

  get live() {
    return this.#live;
  }

  set live(live) {
    this.#live = live;
    if (live && !this.#follows) this.#showNow();
    this.#dirty();
  }

  get selected() {
    return this.#selected;
  }

  set selected(key) {
    this.#selected = key;
    this.#mark();
    this.#speak();
    this.#dirty();
  }

  get clock() {
    return this.#clock;
  }

  set clock(clock) {
    this.#clock = clock;
    this.#dirty();
  }

  /** Brings the theme's colours in after the page changed them. */
  repaint() {
    this.#dirty();
  }

  #mark() {
    for (const [i, label] of [...this.#labels.children].entries()) {
      label.toggleAttribute('data-selected', this.#rows[i]?.key === this.#selected);
    }
  }

  #showNow() {
    const length = this.#view.to - this.#view.from;
    this.#view = { from: this.#now - 0.96 * length, to: this.#now + 0.04 * length };
    this.#follows = true;
    this.#viewed();
  }

  /** What lies at a moment in the selected row, in words. @param {number} utc @param {Row | undefined} row */
  #words(utc, row) {
    const time = timeOfDay(utc, this.#clock, 0);
    const gap = row && at(row.gaps, utc);
    const text = this.#text;
    const { phrases } = text;
    if (gap) {
      const [from, to] = [gap.from, gap.to].map((edge) => timeOfDay(edge, this.#clock, 0));
      return `${time} · ${fill(phrases.gap, from ?? '', to ?? '', span((gap.to - gap.from) / 1000, phrases), gapCause(gap.cause, text))}`;
    }
    if (utc > this.#now) return `${time} · ${phrases.notYet}`;
    const what = row && at(row.ranges, utc) ? phrases.recorded : phrases.nothing;
    return [time, what, ...this.#marks(utc, row).map(([phrase, { label }]) => fill(phrase, label))].join(' · ');
  }

  /** Alarms and holds of a moment, or as near as a finger hits. @param {number} utc @param {Row | undefined} row @returns {[string, MarkSpan][]} */
  #marks(utc, row) {
    const { phrases } = this.#text;
    const near = ((this.#view.to - this.#view.from) / Math.max(1, this.#track.clientWidth)) * SLOP;
    const here = (/** @type {MarkSpan} */ { from, to }) => from - near <= utc && utc < to + near;
    return [[phrases.alarm, row?.alarms], [phrases.hold, row?.holds]].flatMap(([phrase, list]) =>
      (/** @type {MarkSpan[] | undefined} */ (list) ?? []).filter(here).map((mark) => /** @type {[string, MarkSpan]} */ ([phrase, mark])),
    );
  }

  #worded = () => {
    this.#speak();
    this.#dirty();
  };

  get #text() {
    return textOf(this, this.#worded);
  }

  get #row() {
    return this.#rows.find((row) => row.key === this.#selected);
  }

  /** Tells assistive technology where the playhead is. */
  #speak() {
    const utc = this.#live ? this.#now : (this.#position ?? this.#now);
    const { from, to } = this.#view;
    const set = (/** @type {string} */ name, /** @type {string} */ value) => {
      if (this.#track.getAttribute(name) !== value) this.#track.setAttribute(name, value);
    };
    const text = this.#text;
    set('aria-label', text.phrases.timeline);
    set('aria-valuemin', String(Math.round(from / SECOND)));
    set('aria-valuemax', String(Math.round(to / SECOND)));
    set('aria-valuenow', String(Math.round(utc / SECOND)));
    const where = `${this.#row?.label ?? ''}, ${day(utc, this.#clock, text.lang)}`;
    set('aria-valuetext', this.#live ? `${this.#row?.label ?? ''}, ${text.states.live}` : `${where}, ${this.#words(utc, this.#row)}`);
  }

  #dirty() {
    if (this.#drawing || !this.isConnected) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      const selected = this.#rows.findIndex((row) => row.key === this.#selected);
      const position = this.#live ? null : this.#position;
      const zoneMicros = this.#clock === 'utc' ? 0 : -new Date(this.#now / 1000).getTimezoneOffset() * 60 * SECOND;
      draw(this.#canvas, palette(this), {
        ...{ rows: this.#rows, view: this.#view, now: this.#now, position, selected },
        ...{ hover: this.#hover, clock: this.#clock, zone: zoneMicros, text: this.#text },
      });
    });
  }

  /** @param {PointerEvent | WheelEvent} event */
  #point(event) {
    const box = this.#track.getBoundingClientRect();
    const x = event.clientX - box.left;
    const index = Math.floor((event.clientY - box.top - AXIS) / ROW);
    return { x, y: event.clientY - box.top, width: box.width, utc: utcOf(this.#view, x, box.width), row: this.#rows[index] };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button > 1) return;
    const { x, y, row } = this.#point(event);
    // The axis, and the middle button anywhere, take hold of the view itself.
    const pan = event.button === 1 || y < AXIS;
    if (row && !pan) this.#choose(row.key);
    this.#press = { x, y, moved: false, pan, view: this.#view };
    this.#track.setPointerCapture(event.pointerId);
    this.#track.focus(/** @type {FocusOptions} */ ({ preventScroll: true, focusVisible: false }));
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { x, width, utc, row } = this.#point(event);
    const press = this.#press;
    this.#hover = utc;
    if (press) {
      press.moved ||= Math.abs(x - press.x) > SLOP;
      if (press.moved && press.pan) this.#pan(((press.x - x) / width) * (press.view.to - press.view.from), press.view);
      else if (press.moved && event.timeStamp - this.#scrubbed > SCRUB) {
        this.#scrubbed = event.timeStamp;
        this.#seek('vigie-scrub', utc);
      }
    }
    write(this.#tip, this.#words(this.#hover, row ?? this.#row));
    this.#tip.hidden = false;
    const left = Math.max(4, Math.min(x + 14, width - this.#tip.offsetWidth - 4));
    this.#tip.style.setProperty('transform', `translateX(${Math.round(left)}px)`);
    this.#last = { utc, row: row ?? this.#row, x: event.clientX };
    this.#waits ||= window.setTimeout(() => void this.#look(), LOOK);
    this.#dirty();
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const press = this.#press;
    this.#press = null;
    if (press && !(press.pan && press.moved)) this.#seek('vigie-seek', this.#point(event).utc);
  }

  #leave() {
    this.#hover = null;
    this.#tip.hidden = true;
    clearTimeout(this.#waits);
    this.#waits = 0;
    this.#looking.abort();
    this.#shot.hidePopover?.();
    this.#dirty();
  }

  /** A picture of the moment under the pointer. */
  async #look() {
    const { utc, row, x } = this.#last;
    this.#waits = 0;
    this.#looking.abort();
    const { signal } = (this.#looking = new AbortController());
    const found = this.pictures && row && at(row.ranges, utc) ? await this.pictures(row.key, Math.round(utc), signal) : null;
    if (signal.aborted) return;
    if (!found) {
      this.#shot.hidePopover?.();
      return;
    }
    this.#shot.replaceChildren(found.image, element('div', {}, timeOfDay(found.utc, this.#clock, 0)));
    this.#shot.showPopover?.();
    const wide = this.#shot.offsetWidth;
    const left = Math.max(4, Math.min(x - wide / 2, innerWidth - wide - 4));
    this.#shot.style.setProperty('left', `${Math.round(left)}px`);
    this.#shot.style.setProperty('top', `${Math.round(Math.max(0, this.#track.getBoundingClientRect().top - this.#shot.offsetHeight - 6))}px`);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const { utc, width } = this.#point(event);
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      this.#pan((sideways / width) * (this.#view.to - this.#view.from), this.#view);
      return;
    }
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 30 : event.deltaY;
    // While the present is followed it is what stays in place.
    this.#zoom(1.0018 ** pixels, this.#follows ? this.#now : utc);
  }

  /** @param {number} factor @param {number} around */
  #zoom(factor, around) {
    this.#view = zoom(this.#view, around, factor);
    this.#viewed();
  }

  /** @param {number} by @param {Span} view */
  #pan(by, { from, to }) {
    this.#view = { from: from + by, to: to + by };
    this.#viewed();
  }

  #viewed() {
    const { from, to } = this.#view;
    this.#follows = from <= this.#now && this.#now <= to;
    this.dispatchEvent(new CustomEvent('vigie-view', { detail: this.#view }));
    this.#dirty();
  }

  /** @param {string | null} key */
  #choose(key) {
    if (key === null || key === this.#selected) return;
    this.selected = key;
    this.dispatchEvent(new CustomEvent('vigie-row', { detail: key }));
  }

  /** @param {'vigie-seek' | 'vigie-scrub'} type @param {number} utc */
  #seek(type, utc) {
    const live = utc >= this.#now - SECOND / 2;
    this.dispatchEvent(new CustomEvent(type, { detail: { utc: Math.round(utc), key: this.#selected, live } }));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.metaKey) return;
    const utc = this.#live ? this.#now : (this.#position ?? this.#now);
    const fine = event.ctrlKey ? 60 : event.shiftKey ? 10 : 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.#step(utc - fine * SECOND),
      ArrowRight: () => this.#step(utc + fine * SECOND),
      PageDown: () => this.#step(utc - 60 * SECOND),
      PageUp: () => this.#step(utc + 60 * SECOND),
      Home: () => this.#step(Math.max(this.#view.from, this.#row?.ranges[0]?.from ?? -Infinity)),
      End: () => this.#step(this.#now),
      ArrowUp: () => this.#next(-1),
      ArrowDown: () => this.#next(1),
      '+': () => this.#zoom(0.5, utc),
      '=': () => this.#zoom(0.5, utc),
      '-': () => this.#zoom(2, utc),
      j: () => this.#tell('vigie-shuttle', -1),
      k: () => this.#tell('vigie-shuttle', 0),
      l: () => this.#tell('vigie-shuttle', 1),
      ',': () => this.#tell('vigie-step', -1),
      '.': () => this.#tell('vigie-step', 1),
      g: () => this.#toward(this.#row?.gaps, utc, 1),
      G: () => this.#toward(this.#row?.gaps, utc, -1),
      a: () => this.#toward(this.#row?.alarms, utc, 1),
      A: () => this.#toward(this.#row?.alarms, utc, -1),
    };
    const action = keys[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} type @param {number} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {number} utc */
  #step(utc) {
    const { from, to } = this.#view;
    if (utc < from || utc > to) this.#pan(utc < from ? utc - from - (to - from) / 4 : utc - to + (to - from) / 4, this.#view);
    this.#seek('vigie-seek', utc);
  }

  /** To the next gap's or alarm's edge, so that one sees or hears what was before it. @param {Span[] | undefined} spans @param {number} utc @param {1 | -1} way */
  #toward(spans = [], utc, way) {
    const next = way > 0 ? spans.find(({ from }) => from > utc + 2 * SECOND) : spans.findLast(({ from }) => from < utc - 2 * SECOND);
    if (next) this.#step(next.from - SECOND);
  }

  /** @param {1 | -1} way */
  #next(way) {
    const index = this.#rows.findIndex((row) => row.key === this.#selected);
    this.#choose(this.#rows[index + way]?.key ?? null);
  }

  /** Where a moment lies on the page: for tests, and for a page that points at it. @param {number} utc @param {string} key */
  pointOf(utc, key) {
    const box = this.#track.getBoundingClientRect();
    const index = this.#rows.findIndex((row) => row.key === key);
    return { x: box.left + xOf(this.#view, utc, box.width), y: box.top + AXIS + (index + 0.5) * ROW };
  }

  /** The zone that its times are written in. */
  get zone() {
    return zone(this.#now, this.#clock);
  }
}
