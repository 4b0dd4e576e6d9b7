// vigie-player: <vigie-player>, <vigie-wall>, <vigie-timeline> and <vigie-ptz>. Importing this file defines these elements.

import { VigiePlayer } from './tile.js';
import { VigiePreviews } from './preview.js';
import { VigiePtz } from './ptz.js';
import { VigieSync } from './sync.js';
import { VigieTimeline } from './timeline.js';
import { VigieWall } from './wall.js';

for (const [name, constructor] of /** @type {const} */ ([
  ['vigie-wall', VigieWall],
  ['vigie-timeline', VigieTimeline],
  ['vigie-ptz', VigiePtz],
])) {
  if (!customElements.get(name)) customElements.define(name, constructor);
}

export { VigiePlayer, VigiePreviews, VigiePtz, VigieSync, VigieTimeline, VigieWall };
export { STATES, CAUSES, CLOCKS, GAPS, words } from './words.js';
export { explain, gapCause } from './text.js';
export { day, minuteOfDay, span, timeOfDay, zone } from './time.js';
