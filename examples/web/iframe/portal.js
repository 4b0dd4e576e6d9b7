// The portal's side: it alone knows who is signed in. It gives the frame a token, and never by its address.

import { keepToken } from '/token.js';

/** The one origin that a token is given to. */
const VIDEO = 'https://video.example.fr';
const frame = document.querySelector('iframe');
let token = '';

const give = () => {
  // With the origin: should the frame show another page by now, it gets nothing.
  if (token) frame.contentWindow.postMessage({ type: 'vigie-token', token }, VIDEO);
};

window.addEventListener('message', (event) => {
  if (event.origin !== VIDEO || event.source !== frame.contentWindow) return;
  if (event.data?.type === 'vigie-ready') give();
  if (event.data?.type === 'vigie-state') document.getElementById('said').textContent = String(event.data.state);
});

keepToken(
  (fresh) => {
    token = fresh;
    give();
  },
  () => (document.getElementById('said').textContent = 'Your session is over: sign in again.'),
);
// Whichever of the two is ready last: the frame may have asked before this page listened.
frame.addEventListener('load', give);
