// A picture as a file: loaded when somebody keeps one.

/** @import {VigiePlayer} from './player.js' */
// It is there already. Named, for a bundler cuts by who reaches what, and a tile cut in pieces is larger.
import './player.js';
import { element } from './dom.js';
import { paint } from './watermark.js';

/**
 * The whole picture on the screen, with the player's watermark in it, and what is known of it; null where none is.
 * @param {VigiePlayer} player @param {{type?: string, quality?: number}} options  As of `HTMLCanvasElement.toBlob`.
 */
export async function capture(player, { type = 'image/png', quality }) {
  const { picture, video, state, watermark, isLive: live } = player;
  const { videoWidth: width, videoHeight: height } = video;
  const clock = player.getWallClock();
  if (!picture || !clock || !width) return null;
  const canvas = element('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.drawImage(video, 0, 0);
  if (watermark) paint(context, width, height, watermark);
  const blob = await new Promise((/** @type {(blob: Blob | null) => void} */ done) => canvas.toBlob(done, type, quality));
  if (!blob) return null;
  const [tenant, camera] = [player.getAttribute('tenant') ?? '', player.getAttribute('camera') ?? ''];
  const stamp = new Date(picture.utc / 1000).toISOString().replaceAll(':', '-');
  // A browser that lacks a type writes PNG.
  const name = `${tenant}_${camera}_${stamp}.${blob.type.split('/')[1] ?? 'png'}`;
  return { blob, name, ...clock, width, height, tenant, camera, state, live, watermark };
}
