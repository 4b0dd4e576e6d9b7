// A browser that has ManagedMediaSource alone, as Safari on iPhones; and one that has neither. By a mock: Safari was not tried.

import { take } from './probe.js';
import { right, sleep, until } from './shows.js';
import { KEY, on, playing, state } from './tile.js';

/** Milliseconds from the first media to when the browser takes away all that it was given. */
const TAKEN = 5000;

/** The interface of W3C MSE 2, "ManagedMediaSource", over the browser's own; in the Worker as on the page. */
const MANAGED = `if (self.MediaSource) {
  self.ManagedMediaSource = class ManagedMediaSource extends self.MediaSource {
    streaming = true;
    addSourceBuffer(type) {
      const buffer = super.addSourceBuffer(type);
      const take = () => {
        if (this.readyState !== 'open') return;
        if (buffer.updating || !buffer.buffered.length) return setTimeout(take, 5);
        buffer.addEventListener('updateend', () => buffer.dispatchEvent(new Event('bufferedchange')), { once: true });
        buffer.remove(0, Infinity);
        new BroadcastChannel('managed').postMessage('taken');
      };
      setTimeout(take, ${TAKEN});
      return buffer;
    }
  };
  delete self.MediaSource;
}
`;

/** The right pictures again, live. */
const again = (page) =>
  until(async () => {
    const seen = (await take(page))[KEY] ?? [];
    return seen.length > 5 && seen.every((picture) => right(picture, KEY)) && (await state(page)) === 'live';
  }, 10_000, 400);

export async function managed(context) {
  await on(
    context,
    async ({ page, report, name }) => {
      await page.evaluate(() => {
        window.taken = 0;
        new BroadcastChannel('managed').onmessage = () => (window.taken += 1);
      });
      const wait = await playing(page, 'balanced');
      report.holds(name, 'ManagedMediaSource alone: it plays', !Number.isNaN(wait), `${Math.round(wait)} ms`);
      const [managed, remote, place] = await page.evaluate(() => {
        const player = document.querySelector('vigie-player');
        return ['MediaSource' in self ? 'no' : 'yes', player.video.disableRemotePlayback, player.getStats().mediaSource];
      });
      report.holds(name, '… without remote playback, as it must be', managed === 'yes' && remote === true, `on the ${place}`);
      await take(page);
      await until(() => page.evaluate(() => window.taken > 0), TAKEN + 5000);
      const taken = await page.evaluate(() => window.taken);
      await sleep(300);
      await take(page);
      const back = await again(page);
      report.holds(name, 'the browser takes all of it away: pictures again', taken > 0 && !Number.isNaN(back), `after ${Math.round(back)} ms`);
    },
    undefined,
    undefined,
    MANAGED,
  );
  await on(
    context,
    async ({ page, report, name }) => {
      await playing(page, 'balanced');
      const said = await page.evaluate(() => {
        const player = document.querySelector('vigie-player');
        return [player.state, player.cause?.kind, player.shadowRoot.querySelector('.plate').innerText].join(' ');
      });
      report.holds(name, 'no media source at all: it says so', /^cannot-play unsupported .*H\.264/s.test(said), said.replaceAll('\n', ' ').slice(0, 60));
    },
    undefined,
    undefined,
    'delete self.MediaSource; delete self.ManagedMediaSource;\n',
  );
}
