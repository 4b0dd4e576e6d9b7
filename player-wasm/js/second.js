// A wall's second window. Both are of one origin, and what is told goes by postMessage from the one to the other: the token
// stands in no address.

/** @import {WallCamera} from './streams.js' */
/** @import {VigieWall} from './wall.js' */

/** What the second window is told. @typedef {{token: string, clockOffset: number, cameras: WallCamera[], attributes: Record<string, string | null>, lang: string, dir: string, colours: Record<string, string>}} Told */

/** Is it still there? Asked this often, milliseconds: a window does not say that it closes. */
const LOOK = 300;
/** The colours that a page may have set. */
const COLOURS = ['ground', 'panel', 'raised', 'line', 'text', 'dim', 'accent', 'good', 'warn', 'bad', 'font'];

/** The page's own, for a window that has none. @param {Element} host */
function coloursOf(host) {
  const style = getComputedStyle(host);
  return Object.fromEntries(COLOURS.map((name) => [`--vigie-${name}`, style.getPropertyValue(`--vigie-${name}`).trim()]));
}

/** The side of the wall that opened it. */
export class Second {
  /**
   * @param {Window} child
   * @param {VigieWall} wall
   * @param {string[]} keys   Of the cameras that it has.
   * @param {string[]} names  Of the attributes that it takes over.
   * @param {(there: boolean) => void} changed  It shows what it was told; or it is closed or shows another page.
   */
  constructor(child, wall, keys, names, changed) {
    this.child = child;
    this.wall = wall;
    this.keys = keys;
    this.names = names;
    this.there = false;
    const { signal } = (this.listening = new AbortController());
    window.addEventListener(
      'message',
      ({ source, origin, data }) => {
        if (source !== child || origin !== location.origin) return;
        if (data?.type === 'vigie-wall-ready') {
          this.there = true;
          this.tell();
          changed(true);
        } else if (data?.type === 'vigie-wall-gone') {
          this.there = false;
          changed(false);
        }
      },
      { signal },
    );
    // It lives by this page's token: without this page it would end in a refusal.
    window.addEventListener('pagehide', () => this.close(), { signal });
    this.looking = setInterval(() => {
      if (!child.closed) return;
      this.#end();
      changed(false);
    }, LOOK);
  }

  /** Another token, clock, camera, order or colour. */
  tell() {
    if (this.there) this.child.postMessage({ type: 'vigie-wall', ...this.#state() }, location.origin);
  }

  /** @returns {Told} */
  #state() {
    const { keys, names, wall } = this;
    const { clockOffset, order, token } = wall;
    const place = (/** @type {WallCamera} */ { tenant, id }) => order.indexOf(`${tenant}/${id}`);
    const cameras = wall.cameras.filter(({ tenant, id }) => keys.includes(`${tenant}/${id}`)).sort((a, b) => place(a) - place(b));
    const attributes = Object.fromEntries(names.map((name) => [name, wall.getAttribute(name)]));
    attributes['src'] = new URL(attributes['src'] ?? '/', document.baseURI).href;
    const lang = /** @type {HTMLElement | null} */ (wall.closest('[lang]'))?.lang ?? '';
    return { token, clockOffset, cameras, attributes, lang, dir: getComputedStyle(wall).direction, colours: coloursOf(wall) };
  }

  #end() {
    this.there = false;
    clearInterval(this.looking);
    this.listening.abort();
  }

  close() {
    this.#end();
    this.child.close();
  }
}
