// What the chosen camera sends, and how well.

/** @import {Camera} from './api.js' */
/** @import {VigiePlayer} from '/player/index.js' */
import { STATES, explain, span, timeOfDay } from '/player/index.js';
import { micros } from './api.js';
import { CENTRE } from './list.js';
import { because, player as table, say } from './words.js';

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Panel {
  constructor() {
    /** @type {Map<string, HTMLElement>} */
    this.facts = new Map();
  }

  /** @param {Camera | null} camera @param {VigiePlayer | null} player @param {'local' | 'utc'} clock */
  show(camera, player, clock) {
    for (const id of ['enlarge', 'snapshot', 'zoom-in', 'zoom-out', 'window']) byId(id).toggleAttribute('disabled', !camera);
    write(byId('panel-title'), camera ? `${camera.number} ${camera.name}` : say('No camera chosen'));
    if (!camera || !player) return;
    const word = say(CENTRE[camera.state] ?? camera.state);
    write(byId('panel-state'), `${STATES[player.state].mark} ${table.states[player.state]}${camera.state === 'recording' ? '' : ` · ${word}`}`);
    byId('panel-state').className = tone(player);
    this.#fact('Picture', picture(camera));
    this.#fact('Codec', camera.codec ?? '—');
    this.#fact('Profile', camera.codec_string ?? '');
    this.#fact('Rate', rate(camera));
    this.#fact('GOP', camera.gop_seconds ? `${camera.gop_seconds.toFixed(1)} s` : '—');
    this.#fact('Delay', delay(player));
    this.#fact('Clock', player.picture ? `${table.clocks[player.picture.source] ?? ''} ± ${span(player.picture.error / 1000, table.phrases)}` : '—');
    this.#fact('Packets lost', String(camera.loss));
    this.#fact(capital(say('{0} since', word)), timeOfDay(micros(camera.since), clock, 0), 'since');
    this.#fact('Why', because(camera) || (player.state === 'no-signal' ? (explain(player.cause, table)?.what ?? '') : ''));
    quirks(camera.quirks);
  }

  /** @param {string} name @param {string} text @param {string} [key] */
  #fact(name, text, key = name) {
    let value = this.facts.get(key);
    if (!value) {
      value = document.createElement('dd');
      byId('facts').append(document.createElement('dt'), value);
      this.facts.set(key, value);
    }
    const term = /** @type {HTMLElement} */ (value.previousElementSibling);
    write(term, say(name));
    write(value, text);
    term.hidden = value.hidden = !text;
  }
}

/** @param {VigiePlayer} player */
function tone({ state }) {
  if (state === 'live') return 'good';
  return ['late', 'stale', 'damaged', 'out-of-clock'].includes(state) ? 'warn' : ['no-signal', 'cannot-play', 'no-right'].includes(state) ? 'bad' : '';
}

/** @param {Camera} camera */
function picture({ width, height, frame_rate: rate }) {
  if (!width || !height) return '—';
  return `${width}×${height}${rate ? ` · ${Number(rate.toFixed(1))}/s` : ''}`;
}

/** @param {Camera} camera */
function rate({ bit_rate: bits }) {
  if (!bits) return '—';
  return bits < 950_000 ? `${Math.round(bits / 1000)} kb/s` : `${(bits / 1e6).toFixed(1)} Mb/s`;
}

/** @param {VigiePlayer} player */
function delay({ isLive, delay: ms, picture: at }) {
  if (!isLive) return say('recorded');
  if (ms === null || !at) return '—';
  return `${span(Math.max(0, ms), table.phrases)} ± ${span(at.error / 1000, table.phrases)}`;
}

/** @param {Record<string, number>} counts */
function quirks(counts) {
  const list = Object.entries(counts);
  const place = byId('quirks');
  place.hidden = list.length === 0;
  if (!list.length) return;
  write(/** @type {HTMLElement} */ (place.querySelector('summary')), list.length === 1 ? say('1 quirk of this camera') : say('{0} quirks of this camera', list.length));
  const lines = list.map(([name, count]) => `${name.replaceAll('-', ' ')}: ${count}`);
  const items = /** @type {HTMLElement} */ (place.querySelector('ul'));
  if (lines.join('\n') === [...items.children].map((i) => i.textContent).join('\n')) return;
  items.replaceChildren(...lines.map((textContent) => Object.assign(document.createElement('li'), { textContent })));
}

/** @param {Node} node @param {string} text */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
