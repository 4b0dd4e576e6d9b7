// How a wall was left: its layout and the order of its cameras, by its name, in this browser. Nothing of what it showed.

/** @typedef {{layout: string | null, order: string[] | null}} Kept */

const key = (/** @type {string} */ name) => `vigie-wall:${name}`;
/** More than this was not written by a wall, characters. */
const MOST = 100_000;

/** What was kept; nothing where there is none, where it is spoilt, or where the browser gives no storage. @param {string} name @returns {Kept} */
export function recall(name) {
  try {
    const text = localStorage.getItem(key(name)) ?? '';
    const { layout, order } = text && text.length <= MOST ? JSON.parse(text) : /** @type {any} */ ({});
    const keys = Array.isArray(order) && order.every((one) => typeof one === 'string') ? order : null;
    return { layout: typeof layout === 'string' ? layout : null, order: keys };
  } catch {
    return { layout: null, order: null };
  }
}

/** Was there room for it? A wall goes on without. @param {string} name @param {Kept} kept */
export function keep(name, kept) {
  try {
    localStorage.setItem(key(name), JSON.stringify(kept));
    return true;
  } catch {
    // QuotaExceededError, or SecurityError where storage is switched off.
    return false;
  }
}
