// Who is looking, written over the picture: on the screen, and into what is captured.

import { element } from './dom.js';

/** Radians. */
const SLANT = -Math.PI / 10;
/** Between two lines, heights of a letter. */
const APART = 5;

/**
 * The text all over a picture, light with a dark rim, so that it is seen on any ground and no part that is cut out lacks it.
 * @param {CanvasRenderingContext2D} context @param {number} width @param {number} height @param {string} text
 */
export function paint(context, width, height, text) {
  const size = Math.max(13, Math.round(Math.min(width, height) / 18));
  context.save();
  context.font = `600 ${size}px system-ui, "Noto Sans", "DejaVu Sans", sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = size / 8;
  context.strokeStyle = 'rgb(0 0 0 / .3)';
  context.fillStyle = 'rgb(255 255 255 / .34)';
  context.translate(width / 2, height / 2);
  context.rotate(SLANT);
  const reach = Math.hypot(width, height) / 2;
  const [across, down] = [Math.max(size, context.measureText(text).width) + 3 * size, APART * size];
  for (let row = -Math.ceil(reach / down); row * down <= reach; row += 1) {
    for (let column = -Math.ceil(reach / across) - 1; column * across <= reach; column += 1) {
      const x = (column + (row % 2 ? 0.5 : 0)) * across;
      context.strokeText(text, x, row * down);
      context.fillText(text, x, row * down);
    }
  }
  context.restore();
}

/** The text over a picture on the screen; taken away by a script or by hand, it comes back. */
export class Watermark {
  /** @param {HTMLElement} picture  What holds the video element. */
  constructor(picture) {
    this.picture = picture;
    this.words = picture.querySelector('.strip');
    this.text = '';
    this.canvas = element('canvas', { class: 'watermark', part: 'watermark', 'aria-hidden': 'true' });
    this.sizes = new ResizeObserver(() => this.#draw());
    this.guard = new MutationObserver(() => this.#place());
  }

  /** @param {string} text  '': none. */
  show(text) {
    if (text === this.text) return;
    const began = !this.text;
    this.text = text;
    this.#place();
    if (!text) {
      this.sizes.disconnect();
      return;
    }
    if (began) this.sizes.observe(this.picture);
    this.#draw();
  }

  #place() {
    const { canvas, guard, picture, text } = this;
    guard.disconnect();
    if (!text) {
      canvas.remove();
      return;
    }
    for (const name of ['hidden', 'style']) canvas.removeAttribute(name);
    if (canvas.className !== 'watermark') canvas.className = 'watermark';
    // Over whatever shows the picture, a straightened fisheye too, and under the words.
    if (!canvas.isConnected || canvas.nextElementSibling !== this.words) {
      picture.insertBefore(canvas, this.words);
      this.#draw();
    }
    guard.observe(picture, { childList: true });
    guard.observe(canvas, { attributes: true, attributeFilter: ['hidden', 'style', 'class'] });
  }

  #draw() {
    const { canvas, picture, text } = this;
    const [width, height] = [picture.clientWidth * devicePixelRatio, picture.clientHeight * devicePixelRatio].map(Math.round);
    if (!width || !height) return;
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext('2d');
    if (context) paint(context, width, height, text);
  }
}
