// A token from the portal: asked for, handed on, and asked for again before it expires.

/** After an answer that was none it is asked again so often, and never more often, milliseconds. */
const AGAIN = 5000;
/** And no more seldom: a timer of a month runs out at once. */
const DAY = 86_400_000;
/** Of its time, after which the next is asked for: a hidden page's timer may be a minute late. */
const SHARE = 0.7;

/**
 * The token goes into a property of the player (`player.token`), and into no attribute, no address and no storage.
 * @param {(token: string) => void} use  Gets the first one and each that follows.
 * @param {() => void} [refused]  The portal knows no session any more: time to sign in again.
 * @returns {() => void} ends it
 */
export function keepToken(use, refused = () => {}) {
  let over = false;
  let timer = 0;
  const ask = async () => {
    let wait = AGAIN;
    try {
      const answer = await fetch('/token', { method: 'POST', cache: 'no-store', credentials: 'same-origin' });
      if (over) return;
      if (answer.ok) {
        const { token, expires_in } = await answer.json();
        // A portal that does not say when it expires is asked as after no answer.
        wait = Math.min(DAY, Math.max(AGAIN, 1000 * SHARE * (Number(expires_in) || 0)));
        if (!over) use(token);
      } else if (answer.status === 401 || answer.status === 403) {
        refused();
      }
    } catch {
      // The portal is away: what plays goes on playing, and it is asked again.
    }
    if (!over) timer = setTimeout(ask, wait);
  };
  void ask();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
