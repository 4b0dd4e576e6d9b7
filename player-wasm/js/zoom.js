// Digital zoom: which part of a tile's picture shows.

/** @import {VigiePlayer} from './player.js' */
/** @import {View} from './view.js' */
import { element, write } from './dom.js';
import { fill } from './text.js';
import { bounded, moved, zoomed } from './view.js';
import { textOf } from './words.js';

/** A press of a key: so many times larger, and so far along. */
const STEP = 1.5;
const PAN = 0.15;
/** A press that moves further than this is no click, pixels. */
const SLOP = 4;

export class Zoom {
  /** @param {VigiePlayer} player @param {HTMLElement} picture @param {HTMLVideoElement} video */
  constructor(player, picture, video) {
    this.player = player;
    this.picture = picture;
    this.video = video;
    this.on = false;
    this.dragged = false;
    this.pressed = { x: 0, y: 0 };
    this.chip = element('div', { class: 'zoom', part: 'zoom', role: 'status', hidden: '' });
    /** Fingers or mouse, where each is, as shares of the tile. @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    picture.append(this.chip);
    picture.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    picture.addEventListener('pointerdown', (event) => this.#down(event));
    picture.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) picture.addEventListener(type, ({ pointerId }) => this.pointers.delete(pointerId));
    picture.addEventListener('click', (event) => this.#click(event));
    this.chip.addEventListener('click', (event) => {
      event.stopPropagation();
      this.#set({ scale: 1, x: 0.5, y: 0.5 });
    });
    player.addEventListener('keydown', (event) => {
      if (!event.defaultPrevented && this.#key(event)) event.preventDefault();
    });
    // From a wall, whose tile has the focus.
    player.addEventListener('vigie-key', (event) => {
      if (this.#key(/** @type {CustomEvent<KeyboardEvent>} */ (event).detail)) event.preventDefault();
    });
  }

  /** @param {boolean} on  May a pointer and keys change it? */
  update(on) {
    const { picture, player, video } = this;
    const { scale, x, y } = bounded(player.zoom);
    this.on = on;
    const large = scale > 1;
    picture.classList.toggle('zoomed', large);
    // One finger scrolls the page until there is something to move.
    picture.style.setProperty('touch-action', !on ? 'auto' : large ? 'none' : 'pan-x pan-y');
    if (large) video.style.setProperty('transform', `translate(${(0.5 - x * scale) * 100}%, ${(0.5 - y * scale) * 100}%) scale(${scale})`);
    else video.style.removeProperty('transform');
    this.chip.hidden = !large;
    write(this.chip, large ? fill(textOf(player, this.#worded).phrases.zoomed, scale.toFixed(1)) : '');
    // Within a wall the tile has the focus, and passes its keys on.
    const alone = on && !player.closest('[role=option]');
    picture.toggleAttribute('tabindex', alone);
    if (alone) {
      picture.tabIndex = 0;
      picture.setAttribute('role', 'group');
      picture.setAttribute('aria-label', player.getAttribute('label') ?? player.getAttribute('camera') ?? '');
    }
  }

  #worded = () => this.update(this.on);

  /** @param {View} view */
  #set(view) {
    const before = this.player.zoom;
    if (view.scale === before.scale && view.x === before.x && view.y === before.y) return;
    this.player.zoom = view;
  }

  /** @param {MouseEvent} event */
  #at(event) {
    const { left, top, width, height } = this.picture.getBoundingClientRect();
    return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.on || event.defaultPrevented) return;
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 30 : event.deltaY;
    // A pinch on a touch pad comes as a wheel with Ctrl, in small steps.
    const factor = (event.ctrlKey ? 1.01 : 1.002) ** -pixels;
    const view = bounded(this.player.zoom);
    // What makes it no smaller belongs to the page.
    if (view.scale === 1 && factor <= 1) return;
    event.preventDefault();
    const { x, y } = this.#at(event);
    this.#set(zoomed(view, factor, x, y));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.on || event.defaultPrevented || event.button > 0 || event.target === this.chip || event.target instanceof HTMLCanvasElement) return;
    // The first of them: where the others went up was not always told, for a wall may have taken them.
    if (event.isPrimary) this.pointers.clear();
    this.pointers.set(event.pointerId, this.#at(event));
    this.dragged = false;
    this.pressed = { x: event.clientX, y: event.clientY };
    if (bounded(this.player.zoom).scale === 1 && this.pointers.size < 2) return;
    this.picture.setPointerCapture(event.pointerId);
    // Taken: a wall around it does not move the tile.
    event.preventDefault();
  }

  /** What is clicked comes to the middle: for who does not drag. @param {MouseEvent} event */
  #click(event) {
    const view = bounded(this.player.zoom);
    if (!this.on || view.scale === 1 || this.dragged || event.detail > 1) return;
    const { x, y } = this.#at(event);
    this.#set(moved(view, 0.5 - x, 0.5 - y));
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const to = this.#at(event);
    this.dragged ||= Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) > SLOP;
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.pointers.set(event.pointerId, to);
    let view = bounded(this.player.zoom);
    if (other) {
      const { width, height } = this.picture.getBoundingClientRect();
      const apart = (/** @type {{x: number, y: number}} */ { x, y }) => Math.hypot((x - other.x) * width, (y - other.y) * height);
      view = zoomed(view, apart(to) / Math.max(1, apart(from)), (to.x + other.x) / 2, (to.y + other.y) / 2);
      this.#set(moved(view, (to.x - from.x) / 2, (to.y - from.y) / 2));
    } else if (view.scale > 1) {
      this.#set(moved(view, to.x - from.x, to.y - from.y));
    }
  }

  /** Was it one for the zoom? @param {KeyboardEvent} event */
  #key(event) {
    if (!this.on || event.altKey || event.ctrlKey || event.metaKey) return false;
    const view = bounded(this.player.zoom);
    if (event.key === '+' || event.key === '=') this.#set(zoomed(view, STEP, 0.5, 0.5));
    else if (view.scale === 1) return false;
    else if (event.key === '-') this.#set(zoomed(view, 1 / STEP, 0.5, 0.5));
    else if (event.key === '0' || event.key === 'Escape') this.#set({ scale: 1, x: 0.5, y: 0.5 });
    else {
      /** @type {Record<string, [number, number]>} */
      const ways = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };
      const way = ways[event.key];
      if (!way || event.shiftKey) return false;
      this.#set(moved(view, ...way));
    }
    return true;
  }
}
