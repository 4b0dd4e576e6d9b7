// The desk: the wall, the cameras by commune, what the chosen one sends, and the timeline under all of them.

/** @import {Camera, Tenant} from './api.js' */
/** @import {VigiePlayer, VigiePtz, VigieTimeline, VigieWall} from '/player/index.js' */
import '/player/index.js';
import { VigiePreviews, VigieSync, day, timeOfDay, zone } from '/player/index.js';
import { Centre, Refusal } from './api.js';
import { keys } from './keys.js';
import { listCameras, markCameras } from './list.js';
import { Panel } from './panel.js';
import { lang, player as table, say, translate } from './words.js';

/** The centre is asked this often, milliseconds. */
const CAMERAS = 2000;
const TIMELINE = 4000;
/** After the view of the timeline moved, wait for it to come to rest, milliseconds. */
const REST = 180;
const SPEEDS = [1, 2, 4, 8, 16, 32, 0.125, 0.25, 0.5];
/** The fastest to and fro. */
const FASTEST = 32;
const SECOND = 1_000_000;
/** A tile in one of these shows the present. */
const LIVELY = new Set(['live', 'late', 'damaged', 'out-of-clock']);

/** @template {HTMLElement} [T=HTMLElement] @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));

const wall = /** @type {VigieWall} */ (byId('wall'));
const timeline = /** @type {VigieTimeline} */ (byId('timeline'));
const ptz = /** @type {VigiePtz} */ (byId('ptz'));
const panel = new Panel();

/** What is kept between visits: how the desk looks, nothing of what it showed. @param {string} name @param {string} or */
const kept = (name, or) => localStorage.getItem(`vigie-${name}`) ?? or;
/** @param {string} name @param {string} value */
const keep = (name, value) => localStorage.setItem(`vigie-${name}`, value);

/** @type {Tenant[]} */
let tenants = [];
/** @type {Camera[]} */
let cameras = [];
const centre = new Centre(takeToken());
/** All cameras at the same moment, while the operator wants that. @type {VigieSync | null} */
let sync = null;
const previews = new VigiePreviews({ token: centre.token });
timeline.pictures = (/** @type {string} */ key, /** @type {number} */ utc, /** @type {AbortSignal} */ signal) => previews.picture(key, utc, signal);

/** From the address's fragment, which it leaves at once: it belongs in no history and on no screen. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) {
    sessionStorage.setItem('vigie-token', token);
    history.replaceState(null, '', location.pathname);
  }
  return token ?? sessionStorage.getItem('vigie-token') ?? '';
}

// ---- what is chosen ----

/** @returns {VigiePlayer | null} */
const player = () => wall.player(wall.selected);
const chosen = () => cameras.find((camera) => camera.key === wall.selected) ?? null;

/** @param {string | null} key */
function choose(key) {
  wall.selected = key;
}

function follow() {
  timeline.selected = wall.selected;
  markCameras(cameras, wall);
  showPosition();
  panel.show(chosen(), player(), clockName());
  showPtz(chosen());
  byId('enlarge').textContent = say(wall.enlarged ? 'Show all' : 'Enlarge');
}

/** What the pad moves. @type {Camera | null} */
let moved = null;

/** The pad, for a camera that can be moved, while its present shows: nobody steers blind. @param {Camera | null} camera */
function showPtz(camera) {
  const { isLive: live, paused, state } = player() ?? {};
  const now = camera?.moves && live && !paused && LIVELY.has(state ?? '') ? camera : null;
  if (now?.key === moved?.key) return;
  // Whoever was moved stops before another one is.
  ptz.disabled = true;
  moved = now;
  ptz.hidden = !now;
  ptz.disabled = !now;
}

/** What plays and where, under the wall. */
function showPosition() {
  const playing = player();
  const live = playing?.isLive ?? true;
  timeline.live = live;
  timeline.position = playing?.picture?.utc ?? null;
  byId('live').setAttribute('aria-pressed', String(live));
  byId('together').setAttribute('aria-pressed', String(sync !== null));
  // Green only over a picture that is live.
  byId('live').classList.toggle('waiting', live && !LIVELY.has(playing?.state ?? 'idle'));
  const pause = byId('pause');
  pause.textContent = playing?.paused ? '▶' : '❚❚';
  pause.setAttribute('aria-label', say(playing?.paused ? 'Go on' : 'Pause'));
  const speed = `×${String(playing?.playbackRate ?? 1).replace('-', '−')}`;
  byId('speed').textContent = speed;
  byId('speed').setAttribute('aria-label', say('{0}: speed', speed));
  byId('speed').toggleAttribute('disabled', live);
  const utc = playing?.picture?.utc;
  byId('position').textContent = live || !utc ? '' : `${day(utc, clockName(), table.lang)}, ${timeOfDay(utc, clockName(), 0)}`;
}

// ---- what the operator does ----

export const desk = {
  live() {
    // All of them, where all were elsewhere together.
    for (const one of sync ? players() : [player()]) one?.live();
    apart();
    follow();
  },
  /** @param {number} utc @param {string | null} key */
  seek(utc, key) {
    choose(key ?? wall.selected);
    if (sync) void sync.seek(utc).then(follow);
    else player()?.seek(utc);
    follow();
  },
  /** @param {number} seconds */
  skip(seconds) {
    const utc = player()?.picture?.utc;
    if (utc === undefined) return;
    const to = utc + seconds * SECOND;
    if (to > centre.now - 2 * SECOND) desk.live();
    else desk.seek(to, wall.selected);
  },
  pause() {
    const playing = sync ?? player();
    if (playing?.paused) void playing.play();
    else playing?.pause();
    follow();
  },
  /** @param {number} n */
  step(n) {
    apart();
    void player()?.step(n).then(follow);
    follow();
  },
  /** All cameras at the moment of the chosen one, held there together; again: each for itself. */
  together() {
    const playing = player();
    const utc = playing?.picture?.utc;
    if (sync) {
      apart();
    } else if (playing && utc !== undefined) {
      const group = new VigieSync(players().filter(({ state }) => state !== 'cannot-play' && state !== 'no-right'));
      sync = group;
      // What was taken just now is not all in the recording yet.
      void group.seek(playing.isLive ? utc - 10 * SECOND : utc).then((there) => there && group === sync && group.play());
    }
    follow();
  },
  replay() {
    apart();
    player()?.replay();
    follow();
  },
  /** J K L, as editors have them: pressed again it goes faster, the other way first at its usual speed. @param {number} way -1, 0 or 1 */
  shuttle(way) {
    const playing = player();
    if (!playing) return;
    if (way === 0) {
      desk.pause();
      return;
    }
    apart();
    const utc = playing.picture?.utc;
    if (playing.isLive) {
      if (way > 0 || utc === undefined) return;
      // What was taken since is not all in the recording yet.
      playing.seek(utc - 5 * SECOND);
    }
    const { playbackRate: rate, paused } = playing;
    playing.playbackRate = paused || Math.sign(rate) !== way ? way : Math.max(-FASTEST, Math.min(FASTEST, 2 * rate));
    void playing.play();
    follow();
  },
  faster() {
    apart();
    const playing = player();
    if (!playing || playing.isLive) return;
    playing.playbackRate = SPEEDS[(SPEEDS.indexOf(playing.playbackRate) + 1) % SPEEDS.length] ?? 1;
    follow();
  },
  enlarge() {
    wall.enlarged = wall.enlarged ? null : wall.selected;
    follow();
  },
  async snapshot() {
    const shot = await player()?.captureFrame();
    if (!shot) {
      byId('said').textContent = say('There is no picture to keep.');
      return;
    }
    const link = document.createElement('a');
    link.href = URL.createObjectURL(shot.blob);
    link.download = shot.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    byId('said').textContent = say('Saved {0}', shot.name);
  },
  help() {
    /** @type {HTMLDialogElement} */ (byId('keys')).showModal();
  },
  toTimeline() {
    timeline.focus();
  },
};

const players = () => cameras.flatMap(({ key }) => wall.player(key) ?? []);

/** Each camera for itself from now on. */
function apart() {
  sync?.release();
  sync = null;
}

/** Around the middle of what shows. @param {number} factor */
function zoom(factor) {
  const playing = player();
  if (playing) playing.zoom = { ...playing.zoom, scale: playing.zoom.scale * factor };
}

/** @type {Record<string, () => void>} */
const clicks = {
  live: desk.live,
  back: () => desk.skip(-10),
  replay: desk.replay,
  together: desk.together,
  'step-back': () => desk.step(-1),
  pause: desk.pause,
  'step-on': () => desk.step(1),
  speed: desk.faster,
  enlarge: desk.enlarge,
  snapshot: () => void desk.snapshot(),
  'zoom-in': () => zoom(1.5),
  'zoom-out': () => zoom(1 / 1.5),
  window: () => wall.openWindow(),
  arrange: () => byId('arrange').setAttribute('aria-pressed', String(wall.toggleAttribute('arranging'))),
  fullscreen: () => void wall.toggleFullscreen(),
  'keys-button': desk.help,
  'theme-button': () => setTheme(theme() === 'dark' ? 'light' : 'dark'),
  'lang-button': () => {
    keep('lang', lang === 'fr' ? 'en' : 'fr');
    location.reload();
  },
  'zone-button': () => setClock(clockName() === 'utc' ? 'local' : 'utc'),
};
for (const [id, click] of Object.entries(clicks)) byId(id).addEventListener('click', click);
for (const button of document.querySelectorAll('[data-span]')) {
  button.addEventListener('click', () => setSpan(Number(button.getAttribute('data-span'))));
}
byId('tenant').addEventListener('change', () => arrange());
byId('list').addEventListener('click', (event) => choose(keyAt(event) ?? wall.selected));
byId('list').addEventListener('dblclick', (event) => {
  wall.enlarged = keyAt(event);
});
document.addEventListener('keydown', (event) => keys(event, wall, desk));

/** @param {Event} event */
const keyAt = (event) => (event.target instanceof Element ? event.target.closest('[data-key]') : null)?.getAttribute('data-key') ?? null;

wall.addEventListener('vigie-select', follow);
wall.addEventListener('vigie-enlarge', follow);
wall.addEventListener('vigie-state', follow);
timeline.addEventListener('vigie-row', (event) => choose(/** @type {CustomEvent} */ (event).detail));
for (const type of ['vigie-seek', 'vigie-scrub']) {
  timeline.addEventListener(type, (event) => {
    const { utc, key, live } = /** @type {CustomEvent} */ (event).detail;
    if (!live) desk.seek(utc, key);
    else if (type === 'vigie-seek') desk.live();
  });
}
timeline.addEventListener('vigie-step', (event) => desk.step(/** @type {CustomEvent} */ (event).detail));
timeline.addEventListener('vigie-shuttle', (event) => desk.shuttle(/** @type {CustomEvent} */ (event).detail));
ptz.addEventListener('vigie-ptz', (event) => {
  if (!moved) return;
  const failed = say('The camera cannot be moved.');
  centre.move(moved, /** @type {CustomEvent} */ (event).detail).then(
    () => byId('said').textContent === failed && (byId('said').textContent = ''),
    () => (byId('said').textContent = failed),
  );
});
let resting = 0;
timeline.addEventListener('vigie-view', () => {
  clearTimeout(resting);
  resting = setTimeout(() => void askTimeline(), REST);
  markSpan();
});

// ---- how it looks ----

const theme = () => (document.documentElement.dataset['theme'] === 'light' ? 'light' : 'dark');
/** @returns {'local' | 'utc'} */
const clockName = () => (wall.getAttribute('clock') === 'utc' ? 'utc' : 'local');

/** @param {string} name */
function setTheme(name) {
  document.documentElement.dataset['theme'] = name;
  byId('theme-button').textContent = say(name === 'light' ? 'Dark' : 'Light');
  keep('theme', name);
  timeline.repaint();
}

/** @param {string} name */
function setClock(name) {
  wall.setAttribute('clock', name);
  timeline.clock = clockName();
  byId('zone-button').textContent = say(name === 'utc' ? 'Local time' : 'UTC');
  keep('clock', name);
  showTime();
}

/** @param {number} seconds */
function setSpan(seconds) {
  const around = timeline.live ? centre.now : (timeline.position ?? centre.now);
  const share = timeline.live ? 0.97 : 0.5;
  const length = seconds * SECOND;
  timeline.view = { from: around - share * length, to: around + (1 - share) * length };
  markSpan();
  void askTimeline();
}

function markSpan() {
  const { from, to } = timeline.view;
  for (const button of document.querySelectorAll('[data-span]')) {
    const same = Math.abs((to - from) / SECOND / Number(button.getAttribute('data-span')) - 1) < 0.01;
    button.setAttribute('aria-pressed', String(same));
  }
}

function showTime() {
  const now = centre.now;
  timeline.now = now;
  byId('now').textContent = timeOfDay(now, clockName(), 0);
  byId('now').title = day(now, clockName(), table.lang);
  byId('zone').textContent = `(${zone(now, clockName())})`;
}

/** Nothing to show, and what to do about it. @param {string} [title] @param {string} [what] @param {string} [then] */
function notice(title, what = '', then = '') {
  byId('notice').hidden = !title;
  byId('notice-title').textContent = say(title ?? '');
  byId('notice-what').textContent = say(what);
  byId('notice-then').textContent = say(then);
}

/** @param {string} [text] */
function banner(text = '') {
  byId('banner').hidden = !text;
  byId('banner').textContent = text;
}

/** @param {Element} place @param {[string, string][]} parts class and text */
function words(place, parts) {
  const text = parts.map(([, part]) => part).join('');
  if (place.textContent === text) return;
  place.replaceChildren(...parts.map(([name, part]) => Object.assign(document.createElement('span'), { className: name, textContent: part })));
}

function summarize() {
  const recording = cameras.filter((camera) => camera.state === 'recording').length;
  const gaps = timeline.rows.reduce((n, row) => n + row.gaps.length, 0);
  words(byId('summary'), [
    [recording === cameras.length ? 'good' : 'warn', `${recording === cameras.length ? '●' : '◐'} ${say('{0} of {1} recording', recording, cameras.length)}`],
    ['', ' · '],
    [gaps ? 'warn' : '', gaps === 1 ? say('1 gap in view') : gaps ? say('{0} gaps in view', gaps) : say('no gaps in view')],
    ['warn', timeline.rows.every((row) => row.holds) ? '' : ` · ${say('what is held cannot be read')}`],
  ]);
}

// ---- what the centre says ----

function arrange() {
  const only = /** @type {HTMLSelectElement} */ (byId('tenant')).value;
  const shown = tenants.filter((tenant) => !only || tenant.id === only);
  cameras = shown.flatMap((tenant) => tenant.cameras);
  listCameras(byId('list'), shown);
  wall.token = centre.token;
  const before = wall.cameras.map(({ tenant, id }) => `${tenant}/${id}`).join();
  if (before !== cameras.map((camera) => camera.key).join()) {
    // Those held together are not those on the wall any more.
    apart();
    wall.cameras = cameras;
    timeline.rows = cameras.map(({ key, number, name }) => ({ key, label: `${number} ${name}`, ranges: [], gaps: [], holds: [] }));
    void askTimeline();
  }
  follow();
}

/** @param {Tenant[]} found */
function choices(found) {
  const select = /** @type {HTMLSelectElement} */ (byId('tenant'));
  if (found.map((t) => t.id).join() === tenants.map((t) => t.id).join() && select.options.length) return;
  const value = select.value;
  select.replaceChildren(new Option(say('All communes'), ''), ...found.map((tenant) => new Option(tenant.name, tenant.id)));
  select.value = value;
}

async function askCameras() {
  if (!centre.token) {
    notice('This desk needs its key', 'Open the address that vigie-centre printed when it started: the key stands in it after #token=.', 'It was not in the address you opened, and this tab has none from before.');
    return;
  }
  try {
    const found = await centre.cameras();
    choices(found);
    tenants = found;
    wall.clockOffset = centre.offset;
    arrange();
    banner();
    summarize();
    if (cameras.length) notice();
    else notice('No cameras yet', 'Add one to the centre’s TOML file and start the centre again:', 'under a [[tenant]], a [[tenant.camera]] with id, name and url.');
  } catch (error) {
    unanswered(error instanceof Refusal ? error.status : -1);
  }
  setTimeout(() => void askCameras(), CAMERAS);
}

/** @param {number} status */
function unanswered(status) {
  // What it said before may not hold any more.
  words(byId('summary'), [['warn', say('◌ recording not known')]]);
  if (status === 401 || status === 403) {
    sessionStorage.removeItem('vigie-token');
    notice('This address has expired', 'The centre was started anew, and every start has a key of its own.', 'Open the address that it printed last.');
  } else if (tenants.length) {
    banner(status ? say('The centre answers with an error (HTTP {0}).', status) : say('The centre does not answer; the desk asks again by itself.'));
  } else {
    notice('The centre does not answer', 'Is vigie-centre running, and is this its address?', 'The desk asks again by itself.');
  }
}

let asked = 0;
async function askTimeline() {
  const turn = ++asked;
  const { from, to } = timeline.view;
  const beside = to - from;
  const rows = await Promise.all(
    cameras.map(async (camera) => {
      // A little more than is in view, so that moving it shows no empty edge.
      const row = await centre.timeline(camera, from - beside / 2, Math.min(to, centre.now) + beside / 2).catch(() => null);
      return row ?? timeline.rows.find(({ key }) => key === camera.key) ?? null;
    }),
  );
  if (turn !== asked) return;
  timeline.rows = rows.filter((row) => row !== null);
  summarize();
}

// ---- start ----

translate();
byId('lang-button').textContent = lang === 'fr' ? 'English' : 'Français';
byId('lang-button').lang = lang === 'fr' ? 'en' : 'fr';
setTheme(kept('theme', 'dark'));
setClock(kept('clock', 'local'));
if (kept('visits', '0') === '5') document.body.classList.add('known');
keep('visits', String(Math.min(5, Number(kept('visits', '0')) + 1)));
setSpan(600);
void askCameras();
setInterval(showTime, 250);
setInterval(follow, 250);
setInterval(() => void askTimeline(), TIMELINE);
