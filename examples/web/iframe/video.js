// In the frame, on the origin of the centre's front: says that it is ready, and takes a token from the portal alone.
// The answer to this page names the portal a second time: Content-Security-Policy: frame-ancestors https://portal.example.fr

import '/player/tile.js';

/** Who may give a token: the portals that this front serves. */
const PORTALS = ['https://portal.example.fr'];
/** The camera may stand in the address; the token may not. */
const asked = new URLSearchParams(location.search);
const player = document.createElement('vigie-player');
for (const name of ['tenant', 'camera']) player.setAttribute(name, asked.get(name) ?? '');

window.addEventListener('message', (event) => {
  if (event.source !== window.parent || !PORTALS.includes(event.origin)) return;
  if (event.data?.type !== 'vigie-token' || typeof event.data.token !== 'string') return;
  player.token = event.data.token;
  if (!player.isConnected) document.body.append(player);
});

/** A message that holds no secret goes to each portal; the browser delivers it where the origin is the right one. */
const tell = (message) => {
  for (const portal of PORTALS) window.parent.postMessage(message, portal);
};
player.addEventListener('vigie-state', ({ detail }) => tell({ type: 'vigie-state', state: detail.state }));
tell({ type: 'vigie-ready' });
