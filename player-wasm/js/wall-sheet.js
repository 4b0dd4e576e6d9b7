// How a wall looks.

import { sheet } from './dom.js';

export const styles = sheet(`
  :host { display: block; min-width: 0; min-height: 0; background: var(--_ground); }
  .all { position: relative; width: 100%; height: 100%; }
  .grid { display: grid; width: 100%; height: 100%; gap: 4px; grid-auto-rows: minmax(0, 1fr); user-select: none; -webkit-user-select: none; }
  .tile { position: relative; min-width: 0; min-height: 0; outline: 2px solid var(--_line); outline-offset: -1px; cursor: pointer; }
  .tile[aria-selected="true"] { outline: 2px solid var(--_accent); z-index: 1; }
  .tile:focus-visible { outline: 3px solid var(--_text); z-index: 2; }
  vigie-player { width: 100%; height: 100%; }
  vigie-player.coming { position: absolute; inset: 0; visibility: hidden; }
  /* The others go on behind it, so that coming back takes no time. */
  .enlarged { position: relative; }
  .enlarged .tile { position: absolute; inset: 0; grid-area: auto !important; visibility: hidden; }
  .enlarged .tile.large { visibility: visible; }
  .arranging, .arranging .tile { cursor: grabbing; }
  .moving { opacity: .55; }
  .target { outline: 3px dashed var(--_accent) !important; z-index: 2; }
  .say { position: absolute; inset: auto 0 0; z-index: 3; padding: 6px 12px; background: rgb(13 17 21 / .92); color: #e8eef3; border-inline-start: 3px solid var(--_accent); unicode-bidi: plaintext; }
  .say:empty { display: none; }
`);
