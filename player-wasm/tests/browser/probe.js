// What is on the screen: the barcode out of the pixels of each picture, beside what the player says of it.

/**
 * Runs in the page. For each player of the wall, from now on, one entry per picture shown:
 * `[ms, camera, number, utc ms on the face, utc ms of the property, loop and number out of the SEI, media time]`, camera -1
 * where the pixels hold no barcode.
 */
export function install() {
  const canvas = document.createElement('canvas');
  const [width, height] = [416, 32];
  canvas.width = width;
  canvas.height = height;
  const paint = canvas.getContext('2d', { willReadFrequently: true });
  const seen = (window.__seen = {});

  const read = (video) => {
    // The barcode is laid out for 640 pixels.
    const scale = video.videoWidth / 640;
    paint.drawImage(video, 0, 0, width * scale, height * scale, 0, 0, width, height);
    const { data } = paint.getImageData(0, 16, width, 1);
    let bits = 0n;
    for (let i = 0; i < 24; i += 1) {
      const at = 4 * (8 + 16 * i + 8);
      bits = (bits << 1n) | (data[at + 1] >= 128 ? 1n : 0n);
    }
    const nibbles = [5, 4, 3, 2, 1, 0].map((n) => Number((bits >> BigInt(4 * n)) & 15n));
    const sum = nibbles.slice(0, 5).reduce((a, b) => a ^ b, 0);
    const good = nibbles[0] === 0b1010 && sum === nibbles[5];
    return good ? [nibbles[1], (nibbles[2] << 8) | (nibbles[3] << 4) | nibbles[4]] : [-1, Number(bits)];
  };

  window.__read = read;
  window.__all = (root) => [...root.querySelectorAll('*')].flatMap((node) => [node, ...(node.shadowRoot ? window.__all(node.shadowRoot) : [])]);

  /** The face writes the time of day; the day is the picture's. */
  const face = (player) => {
    const text = player.shadowRoot.querySelector('.time').textContent;
    const found = /^(\d\d):(\d\d):(\d\d)\.(\d\d\d)$/.exec(text);
    if (!found || !player.picture) return NaN;
    const [h, m, s, ms] = found.slice(1).map(Number);
    const day = Math.floor(player.picture.utc / 86_400e6) * 86_400e3;
    return day + ((h * 60 + m) * 60 + s) * 1000 + ms;
  };

  window.__watch = (key, player) => {
    if (seen[key]) return;
    const list = (seen[key] = []);
    player.addEventListener('vigie-picture', ({ detail: picture }) => {
      const [camera, number] = read(player.video);
      const sei = picture.userData?.find(({ uuid }) => uuid === '76696769-652d-5369-6d2d-506963747572');
      const loop = sei ? parseInt(sei.hex.slice(0, 8), 16) : -1;
      const told = sei ? parseInt(sei.hex.slice(8, 16), 16) : -1;
      list.push([performance.timeOrigin + performance.now(), camera, number, face(player), picture.utc / 1000, loop, told, picture.time, player.isLive]);
      if (list.length > 20_000) list.splice(0, 10_000);
    });
  };
  const attach = () => {
    const wall = document.querySelector('vigie-wall');
    for (const { tenant, id } of wall?.cameras ?? []) {
      const player = wall.player(`${tenant}/${id}`);
      if (player) window.__watch(`${tenant}/${id}`, player);
    }
  };
  attach();
  setInterval(attach, 50);
}

/** Takes what was seen since the last time. @param {import('puppeteer-core').Page} page */
export async function take(page) {
  const all = await page.evaluate(() => {
    const taken = {};
    for (const [key, list] of Object.entries(window.__seen)) taken[key] = list.splice(0);
    return taken;
  });
  const names = ['at', 'camera', 'number', 'face', 'utc', 'loop', 'told', 'time', 'live'];
  const row = (entry) => Object.fromEntries(names.map((name, i) => [name, entry[i]]));
  return Object.fromEntries(Object.entries(all).map(([key, list]) => [key, list.map(row)]));
}

/** States, causes and counts of all players. @param {import('puppeteer-core').Page} page */
export const states = (page) =>
  page.evaluate(() => {
    const wall = document.querySelector('vigie-wall');
    return (wall?.cameras ?? []).map(({ tenant, id, number }) => {
      const player = wall.player(`${tenant}/${id}`);
      const root = player.shadowRoot;
      const text = [...root.querySelectorAll('.bar, .plate:not([hidden]), .strip:not([hidden])')].map((e) => e.innerText).join(' ');
      return { key: `${tenant}/${id}`, number, state: player.state, cause: player.cause, text, stats: player.getStats() };
    });
  });

/** @param {number[]} values @param {number} share */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/**
 * Joins pictures seen with the simulator's table: each by its camera's number, in the loop that its SEI tells. Gives per
 * picture the delay and how far the time shown is off, in milliseconds.
 */
export function join(seen, table) {
  const sent = new Map(table.map(({ loop, number, utc }) => [`${loop}:${number}`, utc]));
  return seen.map((picture) => {
    const utc = sent.get(`${picture.loop}:${picture.number}`);
    return { ...picture, sent: utc, delay: picture.at - utc, off: picture.utc - utc, faceOff: picture.face - utc };
  });
}
