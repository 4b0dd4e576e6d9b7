/** What `vigie-player/dewarp.js` offers. Written by hand; `types/conform.ts` holds it to the sources. */

import type { Velocity, VigiePlayer } from './index.js';

/** A fisheye lens, and how it hangs. */
export interface Fisheye {
  mount: 'ceiling' | 'wall' | 'floor';
  /** How the distance from the centre grows with the angle from the axis. */
  lens: 'equidistant' | 'equisolid' | 'stereographic';
  /** Degrees that the whole circle sees. */
  angle: number;
  /** Centre of the circle: of the picture's width from the left, of its height from the top. */
  x: number;
  y: number;
  /** Radius of the circle, of the picture's height. */
  radius: number;
}

/** What is looked at, degrees. On a ceiling and a floor `pan` goes around the vertical; `tilt` 0 is the horizon, up is positive. */
export interface View {
  pan: number;
  tilt: number;
  /** From the lower to the upper edge: 10 to 120. */
  angle: number;
}

/**
 * A straight view into a fisheye player, live and recorded. Dragging turns it, the wheel and two fingers zoom.
 *
 * Needs WebGL 2 (throws where there is none); browsers have room for about 16 such views on a page. `captureFrame()` of the
 * player still gives the picture as the camera sent it.
 */
export class VigieDewarp {
  /** @param fisheye what differs from {@link FISHEYE} */
  constructor(player: VigiePlayer, fisheye?: Partial<Fisheye>);
  /** Where it looks: kept and set again it is a preset. Held to what the lens sees. */
  view: View;
  fisheye: Fisheye;
  /** Turns and zooms on until it is told another velocity: what `<vigie-ptz>` tells. */
  drive(velocity: Velocity | null): void;
  /** The player shows the picture as it is again. */
  close(): void;
}

/** Ceiling, equidistant, 180°, a circle that touches the upper and the lower edge. */
export const FISHEYE: Fisheye;
