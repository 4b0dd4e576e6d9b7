// The second windows of a wall, and which of its cameras are there.

/** @import {Second} from './second.js' */
/** @import {VigieWall} from './wall.js' */

/** As large as a screen that is not known yet. */
const FEATURES = 'popup,width=1280,height=800';

export class Windows {
  /** @param {VigieWall} wall @param {string[]} names  Of the attributes that they take over. @param {() => void} changed */
  constructor(wall, names, changed) {
    this.wall = wall;
    this.names = names;
    this.changed = changed;
    /** @type {Set<Second>} */
    this.list = new Set();
  }

  /** Keys of the cameras that are in one of them. */
  get away() {
    return [...this.list].flatMap(({ keys, there }) => (there ? keys : []));
  }

  /** Moves cameras there; false: the browser opens none. @param {string[]} keys @param {URL} page */
  open(keys, page) {
    const child = keys.length ? window.open(page, '', FEATURES) : null;
    const tell = (/** @type {boolean} */ open) => this.wall.dispatchEvent(new CustomEvent('vigie-window', { detail: { keys, open, blocked: !child } }));
    if (!child) {
      tell(false);
      return false;
    }
    import('./second.js').then(
      ({ Second }) => {
        // Taken out of the page meanwhile, the wall gives no token away.
        if (!this.wall.isConnected) {
          child.close();
          return;
        }
        /** @type {boolean | null} */
        let told = null;
        const second = new Second(child, this.wall, keys, this.names, (there) => {
          if (child.closed) this.list.delete(second);
          // It says again and again that it is ready, and closed it is gone a second time.
          if (there === told) return;
          told = there;
          this.changed();
          tell(there);
        });
        this.list.add(second);
      },
      () => child.close(),
    );
    return true;
  }

  /** Brings the window of a camera to the front: is it in one? @param {string | null} key */
  show(key) {
    const second = [...this.list].find(({ keys, there }) => there && key !== null && keys.includes(key));
    second?.child.focus();
    return second !== undefined;
  }

  /** Another token, clock, camera, order or colour. */
  tell() {
    for (const second of this.list) second.tell();
  }

  close() {
    for (const second of this.list) second.close();
    this.list.clear();
  }
}
