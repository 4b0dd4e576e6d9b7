// The page of a wall's second window: shows what the wall that opened it says. Needs a <vigie-wall> in the page.

import { VigieWall } from './index.js';
import { element, sheet } from './dom.js';
import { textOf } from './words.js';

document.adoptedStyleSheets.push(sheet('html, body, main { height: 100%; margin: 0; background: var(--vigie-ground, #0d1115); } h1 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } vigie-wall { width: 100%; height: 100%; } p { margin: 0; padding: 24px; font: 15px/1.5 system-ui, sans-serif; color: var(--vigie-text, #e8eef3); }'));

const wall = /** @type {VigieWall} */ (document.querySelector('vigie-wall'));
const from = /** @type {Window | null} */ (window.opener);
/** The wall that opened this may not listen yet: it is told again this often, milliseconds. */
const AGAIN = 500;
let cameras = '';
const ask = () => from?.postMessage({ type: 'vigie-wall-ready' }, location.origin);
const asking = setInterval(ask, AGAIN);

window.addEventListener('message', ({ source, origin, data }) => {
  if (source !== from || origin !== location.origin || data?.type !== 'vigie-wall') return;
  clearInterval(asking);
  const told = /** @type {import('./second.js').Told} */ (data);
  const root = document.documentElement;
  if (told.lang) root.lang = told.lang;
  root.dir = told.dir;
  for (const [name, value] of Object.entries(told.colours)) {
    if (value) root.style.setProperty(name, value);
  }
  for (const [name, value] of Object.entries(told.attributes)) {
    if (value === null) wall.removeAttribute(name);
    else wall.setAttribute(name, value);
  }
  wall.clockOffset = told.clockOffset;
  wall.token = told.token;
  const now = JSON.stringify(told.cameras);
  if (now !== cameras) wall.cameras = told.cameras;
  cameras = now;
  document.title = told.cameras.map(({ id, name }) => name ?? id).join(', ');
});
// Keys reach the wall from anywhere on its page.
document.addEventListener('keydown', (event) => {
  if (!event.defaultPrevented && !event.composedPath().includes(wall) && wall.key(event)) event.preventDefault();
});

if (from) {
  window.addEventListener('pagehide', () => from.postMessage({ type: 'vigie-wall-gone' }, location.origin));
  ask();
} else {
  clearInterval(asking);
  const said = element('p', { role: 'status' });
  const say = () => (said.textContent = textOf(wall, say).phrases.windowAlone);
  document.documentElement.lang = navigator.language;
  say();
  wall.replaceWith(said);
}
