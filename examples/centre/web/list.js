// The cameras by commune, with what each is doing.

/** @import {Camera, Tenant} from './api.js' */
/** @import {VigieWall} from '/player/index.js' */
import { STATES } from '/player/index.js';
import { because, player as table, say } from './words.js';

/** What the centre says of a camera, in words. @type {Record<string, string>} */
export const CENTRE = {
  recording: 'recording',
  connecting: 'connecting',
  'not-recorded': 'not recorded',
  stale: 'sends nothing',
  'no-signal': 'no signal',
  unauthorized: 'wrong password',
};

/** How a tile's state is coloured. @type {Record<string, string>} */
const TONES = { live: 'good', recorded: 'plain', paused: 'plain', late: 'warn', stale: 'warn', damaged: 'warn', 'out-of-clock': 'warn', end: 'plain', loading: '', idle: '' };

/** @param {Element} place @param {Tenant[]} tenants */
export function listCameras(place, tenants) {
  const same = tenants.flatMap((t) => t.cameras.map((c) => c.key)).join();
  if (place.getAttribute('data-of') === same) return;
  place.setAttribute('data-of', same);
  place.replaceChildren(...tenants.map(section));
}

/** @param {Tenant} tenant */
function section({ name, cameras }) {
  const title = Object.assign(document.createElement('h3'), { textContent: name });
  const list = document.createElement('ul');
  list.append(...cameras.map(item));
  const made = document.createElement('section');
  made.append(title, list);
  return made;
}

/** @param {Camera} camera */
function item({ key, name, number }) {
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset['key'] = key;
  const part = (/** @type {string} */ className, /** @type {string} */ textContent) => Object.assign(document.createElement('span'), { className, textContent });
  button.append(part('mark', '○'), part('number', String(number)), part('name', name), part('word', ''));
  const made = document.createElement('li');
  made.append(button);
  return made;
}

/** Writes what changed. @param {Camera[]} cameras @param {VigieWall} wall */
export function markCameras(cameras, wall) {
  for (const camera of cameras) {
    const { key, state } = camera;
    const button = document.querySelector(`[data-key="${key}"]`);
    if (!button) continue;
    button.setAttribute('aria-current', String(key === wall.selected));
    const shown = wall.player(key)?.state ?? 'idle';
    const healthy = state === 'recording';
    const seen = wall.away.includes(key) ? say('in another window') : table.states[shown];
    const word = [seen, healthy ? '' : say(CENTRE[state] ?? state)].filter(Boolean).join(' · ');
    set(button, '.mark', STATES[shown].mark);
    set(button, '.word', word);
    button.setAttribute('title', because(camera));
    button.className = TONES[shown] ?? 'bad';
  }
}

/** @param {Element} within @param {string} where @param {string} text */
function set(within, where, text) {
  const place = within.querySelector(where);
  if (place && place.textContent !== text) place.textContent = text;
}
