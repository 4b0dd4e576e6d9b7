// What a wall says for a while, over its lower edge and to who does not see it.

import { element, write } from './dom.js';

/** Milliseconds. */
const STAYS = 5000;

export class Note {
  constructor() {
    this.element = element('div', { class: 'say', role: 'status' });
    /** It stays until something else is said. */
    this.lasting = false;
  }

  /** @param {string} text  '': nothing more. @param {boolean} [lasting] */
  say(text, lasting = false) {
    write(this.element, text);
    clearTimeout(this.going);
    this.lasting = lasting;
    if (text && !lasting) this.going = setTimeout(() => write(this.element, ''), STAYS);
  }
}
