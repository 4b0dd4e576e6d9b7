// The declarations that are published, held to the sources: what is declared must be there, and of that type.

import type * as declared from '../js/index.js';
import type { VigiePlayer } from '../js/player.js';
import type { VigiePreviews } from '../js/preview.js';
import type * as dewarped from '../js/dewarp.types.js';
import type * as dewarp from '../js/dewarp.js';
import type { VigiePtz } from '../js/ptz.js';
import type { VigieSync } from '../js/sync.js';
import type { VigieTimeline } from '../js/timeline.js';
import type { VigieWall } from '../js/wall.js';
import type * as text from '../js/text.js';
import type * as words from '../js/words.js';
import type * as time from '../js/time.js';

/** Compiles only where `Real` can stand for `Declared`. */
type Holds<Declared, Real extends Declared> = Real;

export type Checked = [
  Holds<declared.VigiePlayer, VigiePlayer>,
  Holds<declared.VigieTimeline, VigieTimeline>,
  Holds<declared.VigieSync, VigieSync>,
  Holds<declared.VigiePreviews, VigiePreviews>,
  Holds<declared.VigiePtz, VigiePtz>,
  Holds<dewarped.VigieDewarp, dewarp.VigieDewarp>,
  Holds<dewarped.Fisheye, typeof dewarp.FISHEYE>,
  Holds<Omit<declared.VigieWall, 'player'>, Omit<VigieWall, 'player'>>,
  Holds<Pick<typeof declared, 'STATES' | 'CLOCKS' | 'GAPS' | 'CAUSES' | 'words'>, Pick<typeof words, 'STATES' | 'CLOCKS' | 'GAPS' | 'CAUSES' | 'words'>>,
  Holds<Pick<typeof declared, 'gapCause'>, Pick<typeof text, 'gapCause'>>,
  Holds<Pick<typeof declared, 'day' | 'minuteOfDay' | 'timeOfDay' | 'zone' | 'span'>, Pick<typeof time, 'day' | 'minuteOfDay' | 'timeOfDay' | 'zone' | 'span'>>,
];
