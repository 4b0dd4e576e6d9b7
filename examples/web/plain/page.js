// Plain HTML: the cameras stand in the page, this gives them their token.

import { keepToken } from '/token.js';

const players = document.querySelectorAll('vigie-player');

keepToken(
  (token) => {
    for (const player of players) player.token = token;
    // After the first token: no element asks the centre without one. A property set before an element is defined counts.
    void import('/player/tile.js');
  },
  () => (document.getElementById('said').textContent = 'Your session is over: sign in again.'),
);
