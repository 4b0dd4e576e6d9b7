// What only some tiles have, digital zoom and a watermark: loaded with the first tile that asks for one.

/** @import {VigiePlayer} from './player.js' */
// It is there already. Named, for a bundler cuts by who reaches what, and a tile cut in pieces is larger.
import './player.js';
import { sheet } from './dom.js';
import { Watermark } from './watermark.js';
import { bounded } from './view.js';
import { Zoom } from './zoom.js';

const styles = sheet(`
  .zoom { position: absolute; inset-block-start: 8px; inset-inline-end: 8px; padding: 1px 9px; border-radius: 10px; background: rgb(13 17 21 / .86); color: #e8eef3; cursor: pointer; unicode-bidi: plaintext; }
  .zoom[hidden] { display: none; }
  .zoomed { cursor: grab; }
  video { transform-origin: 0 0; }
  .picture:focus-visible { outline: 2px solid #e8eef3; outline-offset: -2px; }
  .watermark { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
  /* Where no picture is, words are. */
  .blank .watermark { visibility: hidden; }
`);

export class Extras {
  /** @param {VigiePlayer} player @param {HTMLElement} picture */
  constructor(player, picture) {
    player.shadowRoot?.adoptedStyleSheets.push(styles);
    this.player = player;
    this.picture = picture;
    this.watermark = new Watermark(picture);
    this.zoom = new Zoom(player, picture, player.video);
    this.told = '';
  }

  /** Brings it to what the player's attributes and properties say. */
  update() {
    const { player } = this;
    this.watermark.show(player.watermark);
    // Until now the picture was hidden: none is seen without its mark.
    this.picture.classList.add('marked');
    this.zoom.update(player.hasAttribute('zoomable'));
    const view = bounded(player.zoom);
    const now = JSON.stringify(view);
    // A page may have asked for more than there is.
    if (JSON.stringify(player.zoom) !== now) player.zoom = view;
    if (now === this.told) return;
    if (this.told || view.scale > 1) player.dispatchEvent(new CustomEvent('vigie-zoom', { detail: view }));
    this.told = now;
  }
}
