// vigie-player: <vigie-player>, <vigie-wall> and <vigie-timeline>. Importing this file defines the three elements.

import { VigiePlayer } from './tile.js';
import { VigieTimeline } from './timeline.js';
import { VigieWall } from './wall.js';

for (const [name, constructor] of /** @type {const} */ ([
  ['vigie-wall', VigieWall],
  ['vigie-timeline', VigieTimeline],
])) {
  if (!customElements.get(name)) customElements.define(name, constructor);
}

export { VigiePlayer, VigieTimeline, VigieWall };
export { STATES, CAUSES, CLOCKS, GAPS, words } from './words.js';
export { explain, gapCause } from './text.js';
export { day, minuteOfDay, span, timeOfDay, zone } from './time.js';
