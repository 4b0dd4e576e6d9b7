// <vigie-wall>: several cameras in a grid; one is selected, one may be enlarged.

import { VigiePlayer } from './player.js';
import { element, sheet, theme, upgrade } from './dom.js';
import { textOf } from './text.js';

/** Starts are this far apart, milliseconds: sixteen connections and decoders at once make each other late. */
const STAGGER = 70;

/**
 * @typedef {object} WallCamera
 * @property {string} tenant
 * @property {string} id
 * @property {string} [name]
 * @property {number | string} [number]
 */

const styles = sheet(`
  :host { display: block; min-width: 0; min-height: 0; background: var(--_ground); }
  .grid { display: grid; width: 100%; height: 100%; gap: 4px; grid-auto-rows: minmax(0, 1fr); }
  .grid[data-columns="1"] { grid-template-columns: minmax(0, 1fr) }
  .grid[data-columns="2"] { grid-template-columns: repeat(2, minmax(0, 1fr)) }
  .grid[data-columns="3"] { grid-template-columns: repeat(3, minmax(0, 1fr)) }
  .grid[data-columns="4"] { grid-template-columns: repeat(4, minmax(0, 1fr)) }
  .grid[data-columns="5"] { grid-template-columns: repeat(5, minmax(0, 1fr)) }
  .tile { position: relative; min-width: 0; min-height: 0; outline: 2px solid var(--_line); outline-offset: -1px; cursor: pointer; }
  .tile[aria-selected="true"] { outline: 2px solid var(--_accent); z-index: 1; }
  .tile:focus-visible { outline: 3px solid var(--_text); z-index: 2; }
  vigie-player { width: 100%; height: 100%; }
  /* The others go on behind it, so that coming back takes no time. */
  .enlarged { position: relative; }
  .enlarged .tile { position: absolute; inset: 0; visibility: hidden; }
  .enlarged .tile.large { visibility: visible; }
  .empty { display: grid; place-content: center; height: 100%; color: var(--_dim); }
`);

/** @param {{tenant: string, id: string}} camera */
const keyOf = ({ tenant, id }) => `${tenant}/${id}`;

/**
 * Attributes: `src`, `clock`, `latency`, as of `<vigie-player>`. Properties: `cameras`, `token`, `clockOffset`,
 * `selected` and `enlarged` (keys `tenant/camera`, or null). Events: `vigie-select`, `vigie-enlarge` (detail: the key),
 * and `vigie-state` of any of its players (detail: `{key, state, cause}`).
 */
export class VigieWall extends HTMLElement {
  static observedAttributes = ['src', 'clock', 'latency'];

  #grid = element('div', { class: 'grid', role: 'listbox', 'aria-orientation': 'horizontal' });
  /** @type {WallCamera[]} */
  #cameras = [];
  /** @type {Map<string, {tile: HTMLElement, player: VigiePlayer}>} */
  #tiles = new Map();
  /** @type {string | null} */
  #selected = null;
  /** @type {string | null} */
  #enlarged = null;
  #token = '';
  #clockOffset = 0;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [theme, styles];
    root.append(this.#grid);
    this.#grid.addEventListener('click', (event) => this.#at(event, (key) => (this.selected = key)));
    this.#grid.addEventListener('dblclick', (event) => this.#at(event, (key) => this.#toggle(key)));
    this.#grid.addEventListener('focusin', (event) => this.#at(event, (key) => (this.selected = key)));
    this.addEventListener('keydown', (event) => {
      if (this.key(event)) event.preventDefault();
    });
  }

  connectedCallback() {
    this.#name();
    upgrade(this, ['token', 'cameras', 'clockOffset', 'selected', 'enlarged']);
  }

  #name = () => this.#grid.setAttribute('aria-label', textOf(this, this.#name).phrases.cameras);

  attributeChangedCallback() {
    for (const { player } of this.#tiles.values()) this.#pass(player);
  }

  get cameras() {
    return this.#cameras;
  }

  /** Tiles of cameras that stay are left as they are. */
  set cameras(cameras) {
    this.#cameras = cameras;
    const keys = new Set(cameras.map(keyOf));
    for (const [key, { tile }] of this.#tiles) {
      if (!keys.has(key)) {
        tile.remove();
        this.#tiles.delete(key);
      }
    }
    let started = 0;
    for (const camera of cameras) {
      if (!this.#tiles.has(keyOf(camera))) this.#add(camera, STAGGER * started++);
    }
    const columns = Math.min(5, Math.ceil(Math.sqrt(cameras.length)) || 1);
    this.#grid.dataset['columns'] = String(columns);
    if (this.#selected === null || !keys.has(this.#selected)) this.selected = cameras[0] ? keyOf(cameras[0]) : null;
    if (this.#enlarged !== null && !keys.has(this.#enlarged)) this.enlarged = null;
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token;
    for (const { player } of this.#tiles.values()) player.token = token;
  }

  get clockOffset() {
    return this.#clockOffset;
  }

  set clockOffset(ms) {
    this.#clockOffset = ms;
    for (const { player } of this.#tiles.values()) player.clockOffset = ms;
  }

  /** The player of a camera. @param {string | null} key `tenant/camera` */
  player(key) {
    return key === null ? null : (this.#tiles.get(key)?.player ?? null);
  }

  get selected() {
    return this.#selected;
  }

  set selected(key) {
    if (key === this.#selected) return;
    this.#selected = key;
    for (const [other, { tile }] of this.#tiles) {
      tile.setAttribute('aria-selected', String(other === key));
      tile.tabIndex = other === key ? 0 : -1;
    }
    if (this.#enlarged !== null && key !== null) this.enlarged = key;
    this.dispatchEvent(new CustomEvent('vigie-select', { detail: key }));
  }

  get enlarged() {
    return this.#enlarged;
  }

  set enlarged(key) {
    if (key === this.#enlarged) return;
    this.#enlarged = key;
    this.#grid.classList.toggle('enlarged', key !== null);
    for (const [other, { tile }] of this.#tiles) tile.classList.toggle('large', other === key);
    if (key !== null) this.selected = key;
    this.dispatchEvent(new CustomEvent('vigie-enlarge', { detail: key }));
  }

  /** Takes a key, from anywhere on the page: was it one of the wall's? @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    const columns = this.#enlarged === null ? Number(this.#grid.dataset['columns']) : 1;
    /** @type {Record<string, number>} */
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const move = moves[event.key];
    if (move !== undefined) return this.#move(move);
    if (event.key === 'Enter' && this.#selected !== null) return this.#toggle(this.#selected);
    if (event.key === 'Escape' && this.#enlarged !== null) {
      this.enlarged = null;
      return true;
    }
    if (/^[1-9]$/.test(event.key)) return this.#number(event.key);
    return false;
  }

  /** By its number, or where cameras have none by its place. @param {string} digit */
  #number(digit) {
    const camera =
      this.#cameras.find((c) => String(c.number ?? '') === digit) ??
      (this.#cameras.some((c) => c.number !== undefined) ? undefined : this.#cameras[Number(digit) - 1]);
    if (!camera) return false;
    this.#select(keyOf(camera));
    return true;
  }

  /** @param {number} by */
  #move(by) {
    const at = this.#cameras.findIndex((camera) => keyOf(camera) === this.#selected);
    const to = this.#cameras[at + by];
    if (at < 0 || !to) return true;
    this.#select(keyOf(to));
    return true;
  }

  /** @param {string} key */
  #select(key) {
    this.selected = key;
    this.#tiles.get(key)?.tile.focus();
  }

  /** @param {string} key */
  #toggle(key) {
    this.enlarged = this.#enlarged === key ? null : key;
    return true;
  }

  /** @param {Event} event @param {(key: string) => void} then */
  #at(event, then) {
    const tile = event.target instanceof Element ? event.target.closest('.tile') : null;
    for (const [key, entry] of this.#tiles) if (entry.tile === tile) then(key);
  }

  /** @param {VigiePlayer} player */
  #pass(player) {
    for (const name of ['src', 'clock', 'latency']) {
      const value = this.getAttribute(name);
      if (value === null) player.removeAttribute(name);
      else player.setAttribute(name, value);
    }
  }

  /** @param {WallCamera} camera @param {number} delay */
  #add(camera, delay) {
    const key = keyOf(camera);
    const player = new VigiePlayer();
    player.token = this.#token;
    player.clockOffset = this.#clockOffset;
    player.setAttribute('label', camera.name ?? camera.id);
    if (camera.number !== undefined) player.setAttribute('number', String(camera.number));
    this.#pass(player);
    const tile = element('div', { class: 'tile', role: 'option', 'aria-selected': 'false', tabindex: '-1' }, player);
    const name = `${camera.number ?? ''} ${camera.name ?? camera.id}`.trim();
    tile.setAttribute('aria-label', name);
    player.addEventListener('vigie-state', (event) => {
      const { state, cause } = /** @type {CustomEvent} */ (event).detail;
      tile.setAttribute('aria-label', `${name}, ${textOf(this, this.#name).states[/** @type {import('./judge.js').State} */ (state)]}`);
      this.dispatchEvent(new CustomEvent('vigie-state', { detail: { key, state, cause } }));
    });
    this.#tiles.set(key, { tile, player });
    this.#grid.append(tile);
    setTimeout(() => {
      player.setAttribute('tenant', camera.tenant);
      player.setAttribute('camera', camera.id);
    }, delay);
  }
}
