// <vigie-wall>: several cameras in a grid; one is selected, one may be enlarged.

import { DWELL, LAYOUTS, pageOf, wantsMain } from './layout.js';
import { VigiePlayer } from './player.js';
import { element, sheet, theme, upgrade } from './dom.js';
import { textOf } from './text.js';
import './words.js';

/** Starts are this far apart, milliseconds: sixteen connections and decoders at once make each other late. */
const STAGGER = 70;

/**
 * @typedef {object} WallCamera
 * @property {string} tenant
 * @property {string} id
 * @property {string} [name]
 * @property {number | string} [number]
 * @property {string} [sub]  Name of its smaller stream at the centre: shown where the tile is small.
 */

/** A stream that was changed to and gives no picture for this long is not changed to, milliseconds. */
const PATIENCE = 8000;

/** @typedef {{tile: HTMLElement, player: VigiePlayer, camera: WallCamera, main: boolean, next: VigiePlayer | null, timer: number}} Tile */

const styles = sheet(`
  :host { display: block; min-width: 0; min-height: 0; background: var(--_ground); }
  .grid { display: grid; width: 100%; height: 100%; gap: 4px; grid-auto-rows: minmax(0, 1fr); }
  .grid[data-layout="1+5"] .tile:first-child { grid-area: 1 / 1 / span 2 / span 2; }
  .tile { position: relative; min-width: 0; min-height: 0; outline: 2px solid var(--_line); outline-offset: -1px; cursor: pointer; }
  .tile[aria-selected="true"] { outline: 2px solid var(--_accent); z-index: 1; }
  .tile:focus-visible { outline: 3px solid var(--_text); z-index: 2; }
  vigie-player { width: 100%; height: 100%; }
  vigie-player.coming { position: absolute; inset: 0; visibility: hidden; }
  /* The others go on behind it, so that coming back takes no time. */
  .enlarged { position: relative; }
  .enlarged .tile { position: absolute; inset: 0; visibility: hidden; }
  .enlarged .tile.large { visibility: visible; }
`);

/** @param {{tenant: string, id: string}} camera */
const keyOf = ({ tenant, id }) => `${tenant}/${id}`;

/**
 * Attributes: `src`, `clock`, `latency`, as of `<vigie-player>`; `layout` (`1`, `4`, `9`, `16`, `25`, `1+5`; by the number of
 * cameras where absent). Cameras that a layout has no room for are on further pages: `page`, and the keys Page up and Page
 * down. Properties: `cameras`, `token`, `clockOffset`, `selected` and `enlarged` (keys `tenant/camera`, or null). Events:
 * `vigie-select`, `vigie-enlarge` (detail: the key), `vigie-stream` (detail: `{key, main}`, another stream of a camera shows)
 * and `vigie-state` of any of its players (detail: `{key, state, cause}`).
 */
export class VigieWall extends HTMLElement {
  static observedAttributes = ['src', 'clock', 'latency', 'layout'];

  #grid = element('div', { class: 'grid', role: 'listbox', 'aria-orientation': 'horizontal' });
  /** @type {WallCamera[]} */
  #cameras = [];
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {string | null} */
  #selected = null;
  /** @type {string | null} */
  #enlarged = null;
  #token = '';
  #clockOffset = 0;
  #page = 0;
  #sizes = new ResizeObserver((entries) => {
    const sized = new Set(entries.map(({ target }) => target));
    for (const entry of this.#tiles.values()) if (sized.has(entry.tile)) this.#measure(entry);
  });

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
    upgrade(this, ['token', 'cameras', 'clockOffset', 'selected', 'enlarged', 'page']);
  }

  #name = () => this.#grid.setAttribute('aria-label', textOf(this, this.#name).phrases.cameras);

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === 'layout') this.#arrange();
    else for (const player of this.#players) this.#pass(player);
  }

  get cameras() {
    return this.#cameras;
  }

  set cameras(cameras) {
    this.#cameras = cameras;
    const keys = new Set(cameras.map(keyOf));
    this.#arrange();
    if (this.#selected === null || !keys.has(this.#selected)) this.selected = cameras[0] ? keyOf(cameras[0]) : null;
    if (this.#enlarged !== null && !keys.has(this.#enlarged)) this.enlarged = null;
  }

  get #layout() {
    return LAYOUTS[this.getAttribute('layout') ?? ''] ?? null;
  }

  /** All of them, those that still wait behind another one too. */
  get #players() {
    return [...this.#tiles.values()].flatMap(({ player, next }) => (next ? [player, next] : [player]));
  }

  /** Which of the pages that the layout has is shown, from 0: that of the selected camera. */
  get page() {
    return this.#page;
  }

  set page(page) {
    const to = Math.min(Math.max(0, page), this.pages - 1);
    const first = to === this.#page ? undefined : this.#cameras[to * (this.#layout?.tiles ?? 0)];
    if (first) this.selected = keyOf(first);
  }

  get pages() {
    return Math.max(1, Math.ceil(this.#cameras.length / (this.#layout?.tiles ?? Infinity)));
  }

  /** Tiles of cameras that stay are left as they are. */
  #arrange() {
    const layout = this.#layout;
    const room = layout?.tiles ?? Infinity;
    // The selected one stays in sight: it is what the keys and an enlarged tile go by.
    const chosen = this.#cameras.findIndex((camera) => keyOf(camera) === this.#selected);
    this.#page = pageOf(chosen, layout) ?? Math.min(this.#page, this.pages - 1);
    const from = layout ? this.#page * room : 0;
    const shown = this.#cameras.slice(from, from + room);
    const keys = new Set(shown.map(keyOf));
    for (const [key, { tile, timer }] of this.#tiles) {
      if (keys.has(key)) continue;
      clearTimeout(timer);
      this.#sizes.unobserve(tile);
      tile.remove();
      this.#tiles.delete(key);
    }
    let started = 0;
    for (const [i, camera] of shown.entries()) {
      if (!this.#tiles.has(keyOf(camera))) this.#add(camera, STAGGER * started++);
      const tile = this.#tiles.get(keyOf(camera))?.tile;
      if (tile && this.#grid.children[i] !== tile) this.#grid.insertBefore(tile, this.#grid.children[i] ?? null);
    }
    const columns = layout?.columns ?? Math.max(1, Math.min(5, Math.ceil(Math.sqrt(shown.length))));
    this.#grid.dataset['columns'] = String(columns);
    this.#grid.dataset['layout'] = layout ? (this.getAttribute('layout') ?? '') : '';
    this.#grid.style.setProperty('grid-template-columns', `repeat(${columns}, minmax(0, 1fr))`);
    this.#grid.style.setProperty('grid-template-rows', layout ? `repeat(${columns}, minmax(0, 1fr))` : 'none');
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token;
    for (const player of this.#players) player.token = token;
  }

  get clockOffset() {
    return this.#clockOffset;
  }

  set clockOffset(ms) {
    this.#clockOffset = ms;
    for (const player of this.#players) player.clockOffset = ms;
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
    if (key !== null && !this.#tiles.has(key)) this.#arrange();
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
    // First, for its tile may be on another page.
    if (key !== null) this.selected = key;
    this.#grid.classList.toggle('enlarged', key !== null);
    for (const [other, { tile }] of this.#tiles) tile.classList.toggle('large', other === key);
    for (const entry of this.#tiles.values()) this.#measure(entry);
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
    const turn = { PageDown: 1, PageUp: -1 }[event.key];
    if (turn && this.pages > 1) {
      this.page = (this.#page + turn + this.pages) % this.pages;
      if (this.#selected !== null) this.#select(this.#selected);
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
    const player = this.#make(camera);
    const tile = element('div', { class: 'tile', role: 'option', 'aria-selected': 'false', tabindex: '-1' }, player);
    if (key === this.#selected) {
      tile.setAttribute('aria-selected', 'true');
      tile.tabIndex = 0;
    }
    // A tile starts with the stream that its size asks for.
    const main = !camera.sub;
    /** @type {Tile} */
    const entry = { tile, player, camera, main, next: null, timer: 0 };
    this.#tiles.set(key, entry);
    this.#listen(entry, player);
    this.#grid.append(tile);
    if (camera.sub) this.#sizes.observe(tile);
    setTimeout(() => this.#start(player, camera, entry.main), delay);
  }

  /** @param {WallCamera} camera */
  #make(camera) {
    const player = new VigiePlayer();
    player.token = this.#token;
    player.clockOffset = this.#clockOffset;
    player.setAttribute('label', camera.name ?? camera.id);
    if (camera.number !== undefined) player.setAttribute('number', String(camera.number));
    this.#pass(player);
    return player;
  }

  /** @param {VigiePlayer} player @param {WallCamera} camera @param {boolean} main */
  #start(player, { tenant, id, sub }, main) {
    player.setAttribute('tenant', tenant);
    player.setAttribute('camera', main ? id : (sub ?? id));
  }

  /** @param {Tile} entry @param {VigiePlayer} player */
  #listen(entry, player) {
    const key = keyOf(entry.camera);
    player.addEventListener('vigie-state', (event) => {
      if (this.#tiles.get(key)?.player !== player) return;
      this.#tell(key, /** @type {CustomEvent} */ (event).detail);
      // Back from the recording or from a pause: what was put off then is due.
      if (player.state === 'live') this.#measure(entry);
    });
  }

  /** @param {string} key @param {Pick<VigiePlayer, 'state' | 'cause'>} now */
  #tell(key, { state, cause }) {
    this.dispatchEvent(new CustomEvent('vigie-state', { detail: { key, state, cause } }));
  }

  /** Another stream may be right for a tile's size, once that stays so. @param {Tile} entry */
  #measure(entry) {
    const { camera, tile } = entry;
    clearTimeout(entry.timer);
    // Behind an enlarged tile it has that one's size, and nobody sees it: it goes on as it was.
    const hidden = this.#enlarged !== null && this.#enlarged !== keyOf(camera);
    if (!camera.sub || hidden || !tile.isConnected) return;
    const main = wantsMain(tile.clientWidth * devicePixelRatio, entry.main);
    if (main !== entry.main) entry.timer = setTimeout(() => this.#change(entry, main), DWELL);
  }

  /** The other stream comes behind the one on the screen, and takes its place with its first picture. @param {Tile} entry @param {boolean} main */
  #change(entry, main) {
    const { camera, player, tile } = entry;
    // What is looked at in the recording, or held, is left alone.
    const away = () => !player.isLive || player.paused;
    if (entry.next || away()) return;
    const next = this.#make(camera);
    next.className = 'coming';
    entry.next = next;
    tile.append(next);
    const done = (/** @type {boolean} */ good) => {
      clearTimeout(late);
      entry.next = null;
      if (!good || away() || !tile.isConnected) {
        next.remove();
      } else {
        const key = keyOf(camera);
        entry.player = next;
        entry.main = main;
        next.className = '';
        this.#listen(entry, next);
        if (next.state !== player.state) this.#tell(key, next);
        player.remove();
        this.dispatchEvent(new CustomEvent('vigie-stream', { detail: { key, main } }));
      }
      // The tile may have changed its size again meanwhile.
      this.#measure(entry);
    };
    const late = setTimeout(() => done(false), PATIENCE);
    next.addEventListener('vigie-picture', () => done(true), { once: true });
    this.#start(next, camera, main);
  }
}
