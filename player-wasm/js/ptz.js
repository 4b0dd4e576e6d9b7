// <vigie-ptz>: moves a camera by pointer, keys or gamepad. It sends nothing itself: the page passes its events on.

/** @import {Velocity} from './ptz-stick.js' */
import { element, sheet, theme, upgrade, write } from './dom.js';
import { Gate, STILL, axis, still, stick } from './ptz-stick.js';
import { textOf } from './words.js';

/** The hand is looked at this often while it moves something, milliseconds. */
const TICK = 50;
/** Of full speed, without Shift. */
const KEYS = 0.5;

const styles = sheet(`
  :host { display: inline-block; }
  .all { display: grid; grid-template-columns: auto auto; gap: 8px; align-items: center; width: max-content; }
  .pad { position: relative; width: 132px; height: 132px; border-radius: 50%; background: var(--_panel); border: 1px solid var(--_line); touch-action: none; cursor: grab; }
  .pad:focus-visible { outline: 2px solid var(--_text); outline-offset: 2px; }
  .pad::before, .pad::after { content: ''; position: absolute; inset: 50% 12px; height: 1px; background: var(--_line); }
  .pad::after { transform: rotate(90deg); }
  .knob { position: absolute; z-index: 1; inset: 0; width: 40px; height: 40px; margin: auto; border-radius: 50%; background: var(--_raised); border: 2px solid var(--_dim); }
  .moving .knob { border-color: var(--_accent); }
  .zoom { display: grid; gap: 6px; }
  button { width: 36px; height: 36px; border: 1px solid var(--_line); border-radius: 4px; background: var(--_raised); color: var(--_text); font: 600 18px/1 var(--_font); cursor: pointer; touch-action: none; }
  button:focus-visible { outline: 2px solid var(--_text); outline-offset: 1px; }
  .hand { grid-column: 1 / -1; color: var(--_dim); min-height: 1.4em; }
  :host([disabled]) { opacity: .5; pointer-events: none; }
`);

/** @type {Record<string, Partial<Velocity>>} */
const MOVES = {
  ...{ ArrowLeft: { pan: -1 }, ArrowRight: { pan: 1 }, ArrowUp: { tilt: 1 }, ArrowDown: { tilt: -1 } },
  ...{ '+': { zoom: 1 }, '=': { zoom: 1 }, '-': { zoom: -1 } },
};

/**
 * Attributes: `disabled`; `gamepad` (absent: pointer and keys alone; a number: that gamepad; otherwise the first that moves),
 * `rate` (events a second at most, 10), `dead` (0.12) and `curve` (2) of a stick. Event: `vigie-ptz`, which does not bubble;
 * its `detail` is a velocity `{pan, tilt, zoom}`, each −1 to 1, all 0: stop; `reason` says why it stopped: `hand` let go, `blur`,
 * `pointer` lost, `gamepad` gone, `disabled`. While something moves the same velocity is told again every 0.4 s: a server that hears
 * nothing for a second should stop the camera by itself.
 */
export class VigiePtz extends HTMLElement {
  static observedAttributes = ['disabled', 'gamepad', 'rate'];

  #pad = element('div', { class: 'pad', part: 'pad', role: 'application', tabindex: '0' });
  #knob = element('div', { class: 'knob', part: 'knob' });
  #closer = element('button', { type: 'button', part: 'zoom' }, '+');
  #wider = element('button', { type: 'button', part: 'zoom' }, '−');
  #hand = element('div', { class: 'hand', part: 'hand', role: 'status' });
  /** What each key that is down does, by its place: let go after Shift, `+` calls itself `=`. @type {Map<string, string>} */
  #keys = new Map();
  #fast = false;
  /** What the pointer does: on the pad, and on the buttons. */
  #pull = { pan: 0, tilt: 0 };
  #press = 0;
  /** The pointer that has hold of something. @type {number | null} */
  #pointer = null;
  #reason = 'hand';
  #timer = 0;
  #gate = new Gate((velocity) => this.#tell(velocity));
  /** Gamepads that were seen at rest: one that lies on its stick when it is plugged in, or while the page was elsewhere, moves nothing. @type {Set<number>} */
  #calm = new Set();
  /** The gamepad that moves the camera. @type {number | null} */
  #moving = null;
  #listening = new AbortController();

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [theme, styles];
    this.#pad.append(this.#knob);
    root.append(element('div', { class: 'all' }, this.#pad, element('div', { class: 'zoom' }, this.#closer, this.#wider), this.#hand));
    this.#pad.addEventListener('pointerdown', (event) => this.#grab(event, () => this.#drag(event)));
    this.#pad.addEventListener('pointermove', (event) => {
      if (event.pointerId === this.#pointer) this.#drag(event);
    });
    for (const [button, way] of /** @type {const} */ ([[this.#closer, 1], [this.#wider, -1]])) {
      button.addEventListener('pointerdown', (event) => this.#grab(event, () => (this.#press = way)));
      button.addEventListener('keydown', (event) => {
        // Its own keys press it; the others are the pad's.
        if (event.key === ' ' || event.key === 'Enter') this.#hold(event, way > 0 ? '+' : '-');
        else this.#key(event);
      });
      button.addEventListener('keyup', (event) => this.#up(event));
    }
    for (const target of [this.#pad, this.#closer, this.#wider]) {
      for (const type of /** @type {const} */ (['pointerup', 'pointercancel', 'lostpointercapture'])) {
        target.addEventListener(type, (/** @type {PointerEventInit} */ { pointerId }) => {
          if (pointerId === this.#pointer) this.#release(type === 'pointerup' ? 'hand' : 'pointer');
        });
      }
    }
    this.#pad.addEventListener('keydown', (event) => this.#key(event));
    this.#pad.addEventListener('keyup', (event) => this.#up(event));
    root.addEventListener('focusout', () => this.#keys.size > 0 && this.#release('blur'));
  }

  connectedCallback() {
    upgrade(this, ['disabled']);
    const { signal } = (this.#listening = new AbortController());
    addEventListener('blur', () => this.#release('blur'), { signal });
    addEventListener('pagehide', () => this.#release('blur'), { signal });
    document.addEventListener('visibilitychange', () => document.hidden && this.#release('blur'), { signal });
    addEventListener('gamepaddisconnected', (event) => {
      const { index } = event.gamepad;
      const was = index === this.#moving;
      this.#calm.delete(index);
      if (was) this.#release('gamepad');
    }, { signal });
    addEventListener('gamepadconnected', () => this.#look(), { signal });
    this.#worded();
    this.#look();
  }

  disconnectedCallback() {
    this.#release('disabled');
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#listening.abort();
  }

  /** @param {string} name @param {string | null} _ @param {string | null} value */
  attributeChangedCallback(name, _, value) {
    if (name === 'rate') this.#gate.every = 1000 / Math.min(50, Math.max(1, Number(value) || 10));
    if (name === 'disabled' && value !== null) this.#release('disabled');
    if (name === 'gamepad') this.#calm.clear();
    if (this.isConnected) this.#look();
  }

  get disabled() {
    return this.hasAttribute('disabled');
  }

  set disabled(on) {
    this.toggleAttribute('disabled', on);
  }

  /** What was told last. */
  get velocity() {
    return this.#gate.last;
  }

  #worded = () => {
    const { phrases } = textOf(this, this.#worded);
    this.#pad.setAttribute('aria-label', phrases.ptz);
    this.#closer.setAttribute('aria-label', phrases.closer);
    this.#wider.setAttribute('aria-label', phrases.wider);
  };

  /** @param {PointerEvent} event @param {() => void} then */
  #grab(event, then) {
    if (this.disabled || event.button !== 0 || this.#pointer !== null) return;
    const target = /** @type {HTMLElement} */ (event.currentTarget);
    this.#pointer = event.pointerId;
    target.setPointerCapture(event.pointerId);
    target.focus(/** @type {FocusOptions} */ ({ preventScroll: true, focusVisible: false }));
    event.preventDefault();
    then();
    this.#look();
  }

  /** @param {PointerEvent} event */
  #drag({ clientX, clientY }) {
    const { left, top, width, height } = this.#pad.getBoundingClientRect();
    const reach = width / 2 - 20;
    const [x, y] = [(clientX - left - width / 2) / reach, (clientY - top - height / 2) / reach];
    this.#pull = stick(x, y, { ...this.#how, dead: 0.08 });
    this.#look();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.disabled || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape') this.#release('hand');
    if (MOVES[event.key]) this.#hold(event, event.key);
  }

  /** @param {KeyboardEvent} event @param {string} key */
  #hold(event, key) {
    if (this.disabled) return;
    this.#keys.set(event.code, key);
    this.#fast = event.shiftKey;
    this.#look();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event */
  #up(event) {
    this.#keys.delete(event.code);
    // While it is down, macOS tells of no other key that is let go.
    if (event.key === 'Meta') this.#keys.clear();
    this.#fast = event.shiftKey;
    this.#look();
  }

  get #how() {
    const number = (/** @type {string} */ name) => {
      const value = Number(this.getAttribute(name));
      return this.hasAttribute(name) && value >= 0 ? value : undefined;
    };
    const [dead, curve] = [number('dead'), number('curve')];
    return { ...(dead !== undefined && dead < 1 && { dead }), ...(curve && { curve }) };
  }

  /** All that moves is let go. @param {string} reason */
  #release(reason) {
    this.#keys.clear();
    this.#pull = { pan: 0, tilt: 0 };
    this.#press = 0;
    this.#pointer = null;
    if (reason !== 'hand') this.#calm.clear();
    this.#reason = reason;
    this.#gate.take(STILL, performance.now());
    this.#reason = 'hand';
    this.#show(STILL);
    if (reason === 'hand') this.#look();
  }

  /** @returns {Velocity} */
  #velocity() {
    /** @type {Velocity} */
    const sum = { pan: this.#pull.pan, tilt: this.#pull.tilt, zoom: this.#press * KEYS };
    const speed = this.#fast ? 1 : KEYS;
    for (const key of this.#keys.values()) {
      const move = MOVES[key] ?? {};
      sum.pan += (move.pan ?? 0) * speed;
      sum.tilt += (move.tilt ?? 0) * speed;
      sum.zoom += (move.zoom ?? 0) * speed;
    }
    const pad = this.#gamepad();
    if (pad) for (const name of /** @type {const} */ (['pan', 'tilt', 'zoom'])) sum[name] += pad[name];
    const clamp = (/** @type {number} */ value) => Math.max(-1, Math.min(1, value));
    return { pan: clamp(sum.pan), tilt: clamp(sum.tilt), zoom: clamp(sum.zoom) };
  }

  /** Left stick: pan and tilt; triggers (buttons 6 and 7), or the right stick: zoom (Gamepad, standard mapping). @returns {Velocity | null} */
  #gamepad() {
    const wanted = this.getAttribute('gamepad');
    if (wanted === null || this.disabled || !document.hasFocus()) return null;
    const pads = (navigator.getGamepads?.() ?? []).filter((pad) => pad?.connected);
    const named = /^\d+$/.test(wanted) ? Number(wanted) : null;
    /** @type {Velocity | null} */
    let found = null;
    this.#moving = null;
    for (const pad of pads) {
      if (!pad || (named !== null && pad.index !== named)) continue;
      const [x = 0, y = 0, , z = 0] = pad.axes;
      const triggers = (pad.buttons[7]?.value ?? 0) - (pad.buttons[6]?.value ?? 0);
      const velocity = { ...stick(x, y, this.#how), zoom: axis(triggers, this.#how) || axis(-z, this.#how) };
      if (still(velocity)) this.#calm.add(pad.index);
      else if (!found && this.#calm.has(pad.index)) {
        found = velocity;
        this.#moving = pad.index;
      }
    }
    return found;
  }

  /** Tells what the hand does, and looks again while it does something or a gamepad may. */
  #look() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.isConnected) return;
    const velocity = this.disabled ? STILL : this.#velocity();
    this.#gate.take(velocity, performance.now());
    this.#show(velocity);
    const gamepads = this.hasAttribute('gamepad') && (navigator.getGamepads?.() ?? []).some((pad) => pad?.connected);
    if (!still(velocity) || gamepads) this.#timer = window.setTimeout(() => this.#look(), TICK);
  }

  /** @param {Velocity} velocity */
  #show(velocity) {
    const { pan, tilt, zoom } = velocity;
    const reach = 46;
    this.#knob.style.setProperty('transform', `translate(${Math.round(pan * reach)}px, ${Math.round(-tilt * reach)}px)`);
    this.#pad.parentElement?.classList.toggle('moving', !still(velocity));
    const signs = [pan && (pan < 0 ? '←' : '→'), tilt && (tilt < 0 ? '↓' : '↑'), zoom && (zoom < 0 ? '−' : '+')].filter(Boolean);
    write(this.#hand, signs.join(' '));
  }

  /** @param {Velocity} velocity */
  #tell(velocity) {
    const reason = still(velocity) ? { reason: this.#reason } : {};
    this.dispatchEvent(new CustomEvent('vigie-ptz', { detail: { ...velocity, ...reason } }));
  }
}
