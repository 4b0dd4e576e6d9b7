// Tiles of a wall moved by the pointer: one is taken to another's place, and the two change places. Loaded with the first press.

/** A press that moves further than this is a drag, pixels. */
const SLOP = 8;
/** A finger that stays for this long takes the tile; before, it scrolls the page. Milliseconds. */
const HOLD = 350;

/**
 * @typedef {object} Host
 * @property {HTMLElement} grid
 * @property {Map<string, {tile: HTMLElement}>} tiles  By the keys of their cameras.
 * @property {(from: string, to: string) => void} swap  Two of them.
 */

/**
 * Follows a press on a tile until it ends.
 * @param {Host} host @param {HTMLElement} tile @param {PointerEvent} press
 */
export function drag({ grid, swap, tiles }, tile, press) {
  const root = /** @type {ShadowRoot} */ (grid.getRootNode());
  const listening = new AbortController();
  const { signal } = listening;
  const touch = press.pointerType === 'touch';
  let held = !touch;
  let moving = false;
  /** @type {HTMLElement | null} */
  let target = null;
  const holding = touch ? setTimeout(() => (begin(), (held = true)), HOLD) : 0;

  const begin = () => {
    try {
      grid.setPointerCapture(press.pointerId);
    } catch {
      // NotFoundError: the finger went up while this was loading, and no event will tell.
      end();
      return;
    }
    moving = true;
    tile.classList.add('moving');
    grid.classList.add('arranging');
  };
  const aim = (/** @type {HTMLElement | null} */ to) => {
    if (to === target) return;
    target?.classList.remove('target');
    target = to === tile ? null : to;
    target?.classList.add('target');
  };
  const end = () => {
    clearTimeout(holding);
    listening.abort();
    aim(null);
    tile.classList.remove('moving');
    grid.classList.remove('arranging');
  };
  const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ listener) => window.addEventListener(type, listener, { signal, capture: true });

  on('pointermove', (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== press.pointerId) return;
    // It ended while this was loading.
    if (!event.buttons) {
      end();
      return;
    }
    const far = Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) > SLOP;
    if (!moving && far) {
      if (!held) {
        end();
        return;
      }
      begin();
    }
    if (moving) aim(root.elementFromPoint(event.clientX, event.clientY)?.closest('.tile') ?? null);
  });
  on('pointerup', (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== press.pointerId) return;
    const to = moving ? target : null;
    end();
    const [a, b] = [tile, to].map((one) => [...tiles].find(([, entry]) => entry.tile === one)?.[0]);
    if (a && b) swap(a, b);
  });
  on('pointercancel', (/** @type {PointerEvent} */ event) => event.pointerId === press.pointerId && end());
  // A finger that stays asks for no menu then.
  on('contextmenu', (/** @type {Event} */ event) => touch && held && event.preventDefault());
  on('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    end();
  });
  on('blur', end);
}
