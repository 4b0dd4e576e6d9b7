// A small picture of a moment of the recording: the key picture that what is shown then starts with.

/** Pixels across: what a timeline has room for. */
const WIDTH = 208;
/** A picture that does not decode in this time is done without, milliseconds. */
const PATIENCE = 4000;
/** After so long it is looked for again, milliseconds. */
const AGAIN = 20;

/** @typedef {{image: HTMLCanvasElement, utc: number}} Preview  The picture, and when it was taken (microseconds, UTC). */

/** Asks the centre for pictures. The token stands in the header alone. */
export class VigiePreviews {
  /** @param {{src?: string, token?: string}} [options] */
  constructor({ src = '/', token = '' } = {}) {
    /** The centre's address. */
    this.src = src;
    this.token = token;
  }

  /**
   * @param {string} key `tenant/camera` @param {number} utc microseconds @param {AbortSignal} [signal]
   * @returns {Promise<Preview | null>} null: there is none, or it cannot be shown here.
   */
  async picture(key, utc, signal) {
    const base = new URL(this.src, document.baseURI);
    const name = key.split('/').map(encodeURIComponent).join('/');
    const address = new URL(`api/picture/${name}?at=${encodeURIComponent(new Date(utc / 1000).toISOString())}`, base);
    /** @type {Record<string, string>} */
    const headers = this.token ? { Authorization: `Bearer ${this.token}` } : {};
    try {
      const answer = await fetch(address, { headers, credentials: 'omit', cache: 'no-store', ...(signal && { signal }) });
      if (!answer.ok) return null;
      const taken = Date.parse(answer.headers.get('Vigie-Utc') ?? '') * 1000;
      const image = await decoded(await answer.blob(), signal);
      return image && { image, utc: taken || utc };
    } catch {
      // Cancelled, or the centre is away: there is no picture then.
      return null;
    }
  }
}

/** The first picture of a film. @param {Blob} film @param {AbortSignal} [signal] @returns {Promise<HTMLCanvasElement | null>} */
async function decoded(film, signal) {
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  const address = URL.createObjectURL(film.type === 'video/mp4' ? film : new Blob([film], { type: 'video/mp4' }));
  try {
    const there = await new Promise((/** @type {(there: boolean) => void} */ done) => {
      video.addEventListener('loadeddata', () => done(true), { once: true });
      video.addEventListener('error', () => done(false), { once: true });
      signal?.addEventListener('abort', () => done(false), { once: true });
      setTimeout(done, PATIENCE, false);
      video.src = address;
    });
    if (!there || !video.videoWidth) return null;
    const image = document.createElement('canvas');
    image.width = WIDTH;
    image.height = Math.round((WIDTH * video.videoHeight) / video.videoWidth);
    const canvas = image.getContext('2d', { willReadFrequently: true });
    // Chromium may tell of the data before it has the picture: then nothing at all is drawn.
    for (const until = performance.now() + PATIENCE; canvas && !signal?.aborted && performance.now() < until; ) {
      canvas.drawImage(video, 0, 0, image.width, image.height);
      if (canvas.getImageData(0, 0, 1, 1).data[3]) return image;
      await new Promise((done) => setTimeout(done, AGAIN));
    }
    return null;
  } finally {
    URL.revokeObjectURL(address);
    video.removeAttribute('src');
    video.load();
  }
}
