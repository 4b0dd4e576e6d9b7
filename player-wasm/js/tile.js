// <vigie-player> alone: what a page loads that shows live pictures and neither a wall nor a timeline.

import { VigiePlayer } from './player.js';

if (!customElements.get('vigie-player')) customElements.define('vigie-player', VigiePlayer);

export { VigiePlayer };
