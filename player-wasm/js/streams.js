// A camera's two streams: the smaller one where its tile is small, changed without a break.

/** @import {VigiePlayer} from './player.js' */
import { DWELL, wantsMain } from './layout.js';

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

/**
 * @typedef {object} Host
 * @property {(camera: WallCamera) => VigiePlayer} make
 * @property {(camera: WallCamera) => boolean} hidden  Nobody sees it now.
 * @property {(tile: Tile, before: VigiePlayer) => void} changed  Another player shows, with the other stream; still there: the one before.
 */

export class Streams {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
  }

  /** @param {VigiePlayer} player @param {WallCamera} camera @param {boolean} main */
  start(player, { tenant, id, sub }, main) {
    player.setAttribute('tenant', tenant);
    player.setAttribute('camera', main ? id : (sub ?? id));
  }

  /** Another stream may be right for a tile's size, once that stays so. @param {Tile} entry */
  measure(entry) {
    const { camera, tile } = entry;
    clearTimeout(entry.timer);
    if (!camera.sub || this.host.hidden(camera) || !tile.isConnected) return;
    const main = wantsMain(tile.clientWidth * devicePixelRatio, entry.main);
    if (main !== entry.main) entry.timer = setTimeout(() => this.#change(entry, main), DWELL);
  }

  /** The other stream comes behind the one on the screen, and takes its place with its first picture. @param {Tile} entry @param {boolean} main */
  #change(entry, main) {
    const { camera, player, tile } = entry;
    // What is looked at in the recording, or held, is left alone.
    const away = () => !player.isLive || player.paused;
    if (entry.next || away()) return;
    const next = this.host.make(camera);
    next.className = 'coming';
    entry.next = next;
    tile.append(next);
    const done = (/** @type {boolean} */ good) => {
      clearTimeout(late);
      entry.next = null;
      if (!good || away() || !tile.isConnected) {
        next.remove();
      } else {
        next.zoom = player.zoom;
        entry.player = next;
        entry.main = main;
        next.className = '';
        this.host.changed(entry, player);
        player.remove();
      }
      // The tile may have changed its size again meanwhile.
      this.measure(entry);
    };
    const late = setTimeout(() => done(false), PATIENCE);
    next.addEventListener('vigie-picture', () => done(true), { once: true });
    this.start(next, camera, main);
  }
}
