// <vigie-wall>: several cameras in a grid; one is selected, one may be enlarged.

/** @import {Tile, WallCamera} from './streams.js' */
import { keep, recall } from './keep.js';
import { beside, layoutOf, lettersOf, merged, ordered, pageOf } from './layout.js';
import { VigiePlayer } from './player.js';
import { element, theme, upgrade } from './dom.js';
import { Note } from './note.js';
import { Streams } from './streams.js';
import { fill } from './text.js';
import { styles } from './wall-sheet.js';
import { Windows } from './windows.js';
import { textOf } from './words.js';

/** Starts are this far apart, milliseconds: sixteen connections and decoders at once make each other late. */
const STAGGER = 70;

/** Attributes of the wall that are its players' too. */
const PASSED = ['src', 'clock', 'latency', 'zoomable', 'watermark'];

/** @param {{tenant: string, id: string}} camera */
const keyOf = ({ tenant, id }) => `${tenant}/${id}`;

/**
 * Attributes: `src`, `clock`, `latency`, `zoomable`, `watermark`, as of `<vigie-player>`; `layout` (`1`, `4`, `9`, `16`, `25`,
 * `1+5`, or drawn: `aab aac def`; by the number of cameras where absent); `name` (layout and order are kept by it in this
 * browser); `window` (the page of a second window; the package's own by default); `arranging` (one click takes a tile, another one
 * gives it its place: for who does not drag). Cameras that a layout has no room for are on
 * further pages: `page`, and the keys Page up and Page down. A tile dragged onto another one, or Shift with an arrow, changes
 * their places: `order`. Properties: `cameras`, `token`, `clockOffset`, `selected` and `enlarged` (keys `tenant/camera`, or
 * null). Events: `vigie-select`, `vigie-enlarge` (detail: the key), `vigie-stream` (detail: `{key, main}`, another stream of a
 * camera shows), `vigie-arrange` (detail: `{order, kept}`), `vigie-window` (detail: `{keys, open, blocked}`) and `vigie-state`
 * of any of its players (detail: `{key, state, cause}`).
 */
export class VigieWall extends HTMLElement {
  static observedAttributes = [...PASSED, 'layout', 'name', 'arranging'];

  #grid = element('div', { class: 'grid', role: 'listbox', 'aria-orientation': 'horizontal' });
  #note = new Note();
  /** As they were given. @type {WallCamera[]} */
  #cameras = [];
  /** Keys, as they were arranged. @type {string[]} */
  #order = [];
  /** The first of two that are to change places. @type {string | null} */
  #picked = null;
  /** In that order, without those in another window. @type {WallCamera[]} */
  #here = [];
  #windows = new Windows(this, PASSED, () => this.#sort());
  #ready = false;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {string | null} */
  #selected = null;
  /** @type {string | null} */
  #enlarged = null;
  #token = '';
  #clockOffset = 0;
  #page = 0;
  #streams = new Streams({
    make: (camera) => this.#make(camera),
    // Behind an enlarged tile it has that one's size, and nobody sees it: it goes on as it was.
    hidden: (camera) => this.#enlarged !== null && this.#enlarged !== keyOf(camera),
    changed: (entry, before) => {
      const { camera, main, player } = entry;
      this.#listen(entry, player);
      if (player.state !== before.state) this.#tell(keyOf(camera), player);
      this.dispatchEvent(new CustomEvent('vigie-stream', { detail: { key: keyOf(camera), main } }));
    },
  });
  #sizes = new ResizeObserver((entries) => {
    const sized = new Set(entries.map(({ target }) => target));
    for (const entry of this.#tiles.values()) if (sized.has(entry.tile)) this.#streams.measure(entry);
  });

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [theme, styles];
    root.append(element('div', { class: 'all' }, this.#grid, this.#note.element));
    this.#grid.addEventListener('click', (event) => this.#at(event, (key) => this.#click(key)));
    this.#grid.addEventListener('dblclick', (event) => this.#at(event, (key) => this.#toggle(key)));
    this.#grid.addEventListener('focusin', (event) => this.#at(event, (key) => (this.selected = key)));
    this.#grid.addEventListener('pointerdown', (event) => this.#press(event));
    // A finger that has taken a tile scrolls no more; from the start, for browsers ask once, as it comes down.
    this.#grid.addEventListener('touchmove', (event) => this.#grid.matches('.arranging') && event.preventDefault(), { passive: false });
    this.addEventListener('keydown', (event) => {
      if (!event.defaultPrevented && this.key(event)) event.preventDefault();
    });
  }

  connectedCallback() {
    this.#name();
    this.#recall();
    upgrade(this, ['token', 'order', 'cameras', 'clockOffset', 'selected', 'enlarged', 'page']);
  }

  disconnectedCallback() {
    // Moved within the page it comes back in the same turn.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#ready = false;
      this.#windows.close();
    });
  }

  /** How it was left, where it has a name. */
  #recall() {
    const { layout, order } = recall(this.getAttribute('name') ?? '');
    this.#ready = false;
    if (order) this.#order = order;
    if (layout !== null && layoutOf(layout)) this.setAttribute('layout', layout);
    this.#sort();
    this.#ready = true;
  }

  #keep() {
    const name = this.getAttribute('name');
    return !name || keep(name, { layout: this.getAttribute('layout'), order: this.#order.length ? this.#order : null });
  }

  #name = () => this.#grid.setAttribute('aria-label', this.#text.phrases.cameras);

  get #text() {
    return textOf(this, this.#name);
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (name === 'layout') {
      this.#arrange();
      if (this.#ready) this.#keep();
    } else if (name === 'name') {
      if (this.#ready) this.#recall();
    } else if (name === 'arranging') {
      this.#pick(null);
    } else {
      for (const player of this.#players) this.#pass(player);
      this.#windows.tell();
    }
  }

  get cameras() {
    return this.#cameras;
  }

  set cameras(cameras) {
    this.#cameras = cameras;
    this.#sort();
    this.#windows.tell();
  }

  /** Keys of all cameras, in the order in which they stand; those that are not named come behind. */
  get order() {
    return ordered(this.#cameras, this.#order, keyOf).map(keyOf);
  }

  set order(keys) {
    this.#order = merged(this.#order, keys);
    this.#sort();
    this.#windows.tell();
    if (!this.#ready) return;
    const kept = this.#keep();
    this.dispatchEvent(new CustomEvent('vigie-arrange', { detail: { order: this.order, kept } }));
  }

  /** Keys of the cameras that are in another window. */
  get away() {
    return this.#windows.away;
  }

  /** Two cameras change places. @param {string} a @param {string} b  Their keys. */
  swap(a, b) {
    const { order } = this;
    const [from, to] = [order.indexOf(a), order.indexOf(b)];
    if (from < 0 || to < 0 || from === to) return;
    [order[from], order[to]] = [b, a];
    this.order = order;
    this.#note.say(fill(this.#text.phrases.moved, this.#named(a), this.#here.findIndex((one) => keyOf(one) === a) + 1, this.#here.length));
  }

  /** @param {string} key */
  #named(key) {
    const camera = this.#cameras.find((one) => keyOf(one) === key);
    return camera?.name ?? camera?.id ?? '';
  }

  /** Cameras, their order or what is in another window changed. */
  #sort() {
    const away = new Set(this.away);
    this.#here = ordered(this.#cameras, this.#order, keyOf).filter((camera) => !away.has(keyOf(camera)));
    const keys = new Set(this.#here.map(keyOf));
    this.#arrange();
    if (this.#selected === null || !keys.has(this.#selected)) this.selected = this.#here[0] ? keyOf(this.#here[0]) : null;
    if (this.#enlarged !== null && !keys.has(this.#enlarged)) this.enlarged = null;
    if (away.size && !keys.size) this.#note.say(this.#text.phrases.away, true);
    else if (!keys.size || this.#note.lasting) this.#note.say('');
  }

  get #layout() {
    return layoutOf(this.getAttribute('layout') ?? '');
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
    const first = to === this.#page ? undefined : this.#here[to * (this.#layout?.tiles ?? 0)];
    if (first) this.selected = keyOf(first);
  }

  get pages() {
    return Math.max(1, Math.ceil(this.#here.length / (this.#layout?.tiles ?? Infinity)));
  }

  /** Tiles of cameras that stay are left as they are. */
  #arrange() {
    const layout = this.#layout;
    const room = layout?.tiles ?? Infinity;
    // The selected one stays in sight: it is what the keys and an enlarged tile go by.
    const chosen = this.#here.findIndex((camera) => keyOf(camera) === this.#selected);
    this.#page = pageOf(chosen, layout) ?? Math.min(this.#page, this.pages - 1);
    const from = layout ? this.#page * room : 0;
    const shown = this.#here.slice(from, from + room);
    const subs = new Map(shown.map((camera) => [keyOf(camera), camera.sub]));
    for (const [key, { tile, timer, camera }] of this.#tiles) {
      // One with another smaller stream begins anew.
      if (subs.has(key) && camera.sub === subs.get(key)) continue;
      clearTimeout(timer);
      this.#sizes.unobserve(tile);
      tile.remove();
      this.#tiles.delete(key);
    }
    let started = 0;
    const letters = layout?.areas ? lettersOf(layout.areas) : [];
    const focused = /** @type {HTMLElement | null} */ (this.shadowRoot?.activeElement);
    for (const [i, camera] of shown.entries()) {
      if (!this.#tiles.has(keyOf(camera))) this.#add(camera, STAGGER * started++);
      const entry = this.#tiles.get(keyOf(camera));
      const tile = entry?.tile;
      if (entry && entry.camera !== camera) {
        entry.camera = camera;
        for (const player of [entry.player, entry.next]) if (player) this.#label(player, camera);
      }
      if (tile && this.#grid.children[i] !== tile) this.#grid.insertBefore(tile, this.#grid.children[i] ?? null);
      tile?.style.setProperty('grid-area', letters[i] ?? '');
    }
    // An element that is moved loses it.
    if (focused?.isConnected) focused.focus();
    const columns = layout?.columns ?? Math.max(1, Math.min(5, Math.ceil(Math.sqrt(shown.length))));
    this.#grid.dataset['columns'] = String(columns);
    this.#grid.style.setProperty('grid-template-areas', layout?.areas?.map((row) => `"${[...row].join(' ')}"`).join(' ') ?? 'none');
    this.#grid.style.setProperty('grid-template-columns', `repeat(${columns}, minmax(0, 1fr))`);
    this.#grid.style.setProperty('grid-template-rows', layout ? `repeat(${layout.rows}, minmax(0, 1fr))` : 'none');
  }

  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token;
    for (const player of this.#players) player.token = token;
    this.#windows.tell();
  }

  get clockOffset() {
    return this.#clockOffset;
  }

  set clockOffset(ms) {
    this.#clockOffset = ms;
    for (const player of this.#players) player.clockOffset = ms;
    this.#windows.tell();
  }

  /** The player of a camera. @param {string | null} key `tenant/camera` */
  player(key) {
    return key === null ? null : (this.#tiles.get(key)?.player ?? null);
  }

  get selected() {
    return this.#selected;
  }

  set selected(key) {
    if (key === this.#selected || this.#windows.show(key)) return;
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
    for (const entry of this.#tiles.values()) this.#streams.measure(entry);
    this.dispatchEvent(new CustomEvent('vigie-enlarge', { detail: key }));
  }

  /** Takes a key, from anywhere on the page: was it one of the wall's? @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    // A part of a picture first: the arrows move it, Escape leaves it.
    // By an event of its own: a keydown of ours would come back here from within, in Firefox.
    const { key, shiftKey } = event;
    if (this.player(this.#selected)?.dispatchEvent(new CustomEvent('vigie-key', { detail: event, cancelable: true })) === false) return true;
    if (key.startsWith('Arrow')) return this.#move(key, shiftKey);
    if (key === 'f' || key === 'F') return !!this.toggleFullscreen();
    if (key === 'w' || key === 'W') return this.#selected !== null && (this.openWindow(), true);
    if (event.key === 'Enter' && this.#selected !== null) return this.#toggle(this.#selected);
    if (event.key === 'Escape' && this.#enlarged !== null) {
      this.enlarged = null;
      return true;
    }
    const turn = { PageDown: 1, PageUp: -1 }[key];
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
      this.#here.find((c) => String(c.number ?? '') === digit) ??
      (this.#here.some((c) => c.number !== undefined) ? undefined : this.#here[Number(digit) - 1]);
    if (!camera) return false;
    this.#select(keyOf(camera));
    return true;
  }

  /** To the tile that lies there, or with Shift to its place. @param {string} key @param {boolean} take */
  #move(key, take) {
    const at = this.#here.findIndex((camera) => keyOf(camera) === this.#selected);
    const backwards = getComputedStyle(this).direction === 'rtl' ? 'ArrowRight' : 'ArrowLeft';
    const way = key === backwards || key === 'ArrowUp' ? -1 : 1;
    const along = key === 'ArrowLeft' || key === 'ArrowRight' || this.#enlarged !== null;
    const to = this.#here[along ? at + way : beside(at, way, this.#layout, Number(this.#grid.dataset['columns']))];
    if (at < 0 || !to || this.#selected === null) return true;
    if (take && this.#enlarged === null) this.swap(this.#selected, keyOf(to));
    else this.#select(keyOf(to));
    return true;
  }

  /** Chooses it; with `arranging`, for who does not drag, one tile and then another change places. @param {string} key */
  #click(key) {
    const first = this.#picked;
    this.selected = key;
    if (!this.hasAttribute('arranging') || this.#enlarged !== null) return;
    this.#pick(first === null ? key : null);
    if (first !== null) this.swap(first, key);
    else this.#note.say(fill(this.#text.phrases.picked, this.#named(key)), true);
  }

  /** @param {string | null} key */
  #pick(key) {
    this.#picked = key;
    for (const [other, { tile }] of this.#tiles) tile.classList.toggle('moving', other === key);
    if (this.#note.lasting) this.#note.say('');
  }

  /** The first of a drag, perhaps. @param {PointerEvent} event */
  #press(event) {
    const tile = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest('.tile')) : null;
    // On a canvas a finger or a mouse turns what is straightened there.
    if (event.composedPath()[0] instanceof HTMLCanvasElement) return;
    if (!tile || event.defaultPrevented || event.button || !event.isPrimary || this.#enlarged !== null || this.#tiles.size < 2) return;
    // Where it does not load the tiles stay where they are.
    import('./arrange.js').then(({ drag }) => drag({ grid: this.#grid, tiles: this.#tiles, swap: (from, to) => this.swap(from, to) }, tile, event)).catch(() => {});
  }

  /**
   * Moves cameras into a window of their own, the chosen one by default; they come back when it closes. From a click or a
   * key, for else browsers open none: false.
   */
  openWindow(keys = this.#selected === null ? [] : [this.#selected]) {
    const own = this.getAttribute('window');
    const page = own === null ? new URL('./wall.html', import.meta.url) : new URL(own, document.baseURI);
    const opened = this.#windows.open(keys, page);
    if (!opened) this.#note.say(this.#text.phrases.windowBlocked);
    return opened;
  }

  /** All of the screen for the wall, and back. */
  async toggleFullscreen() {
    try {
      if (this.matches(':fullscreen')) await document.exitFullscreen();
      else await this.requestFullscreen();
    } catch {
      // In a frame that may not, or where the browser has none.
      this.#note.say(this.#text.phrases.noFullscreen);
    }
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
    for (const name of PASSED) {
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
    // The smaller stream first, where there is one: what the tile's size asks for is known once that stays.
    const main = !camera.sub;
    /** @type {Tile} */
    const entry = { tile, player, camera, main, next: null, timer: 0 };
    this.#tiles.set(key, entry);
    this.#listen(entry, player);
    this.#grid.append(tile);
    if (camera.sub) this.#sizes.observe(tile);
    setTimeout(() => this.#streams.start(player, camera, entry.main), delay);
  }

  /** @param {WallCamera} camera */
  #make(camera) {
    const player = new VigiePlayer();
    player.token = this.#token;
    player.clockOffset = this.#clockOffset;
    this.#label(player, camera);
    this.#pass(player);
    return player;
  }

  /** @param {VigiePlayer} player @param {WallCamera} camera */
  #label(player, { id, name, number }) {
    player.setAttribute('label', name ?? id);
    if (number === undefined) player.removeAttribute('number');
    else player.setAttribute('number', String(number));
  }

  /** @param {Tile} entry @param {VigiePlayer} player */
  #listen(entry, player) {
    const key = keyOf(entry.camera);
    player.addEventListener('vigie-state', (event) => {
      if (this.#tiles.get(key)?.player !== player) return;
      this.#tell(key, /** @type {CustomEvent} */ (event).detail);
      // Back from the recording or from a pause: what was put off then is due.
      if (player.state === 'live') this.#streams.measure(entry);
    });
  }

  /** @param {string} key @param {Pick<VigiePlayer, 'state' | 'cause'>} now */
  #tell(key, { state, cause }) {
    this.dispatchEvent(new CustomEvent('vigie-state', { detail: { key, state, cause } }));
  }
}
