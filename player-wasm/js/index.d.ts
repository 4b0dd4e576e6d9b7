/** What vigie-player offers. Written by hand; `types/conform.ts` holds it to the sources. */

/** Where a picture's UTC comes from, best first; `index`: the recording does not say. */
export type ClockSource = 'onvif-extension' | 'sender-report' | 'range-clock' | 'arrival' | 'index';

/** What the encoder wrote into a picture (SEI user_data_unregistered). */
export interface UserData {
  /** In its usual form, lower case. */
  uuid: string;
  /** The payload in hexadecimal. */
  hex: string;
}

/** A picture on the screen. */
export interface Picture {
  /** Seconds on the video element's clock. */
  time: number;
  /** When it was taken: microseconds since 1970, UTC. */
  utc: number;
  source: ClockSource;
  /** Microseconds that `utc` may be off, either way, against its source. */
  error: number;
  userData?: UserData[];
}

export interface Format {
  /** `H.264` or `H.265`. */
  codec: string;
  /** RFC 6381: `avc1.640028`. */
  string: string;
  width: number;
  height: number;
}

/** A span, UTC microseconds. */
export interface Span {
  from: number;
  to: number;
}

/** What is not recorded, and why. */
export interface Gap extends Span {
  cause: string;
}

/** What a tile says of itself. Only `live` and `late` mean: this is now. */
export type State =
  | 'idle'
  | 'loading'
  | 'live'
  | 'late'
  | 'stale'
  | 'no-signal'
  | 'damaged'
  | 'out-of-clock'
  | 'paused'
  | 'recorded'
  | 'end'
  | 'no-right'
  | 'cannot-play';

/** Why it does not play. */
export interface Cause {
  kind: string;
  text?: string;
  /** Vigie's stable number, `V0709`. */
  code?: string;
}

/** When a picture was taken. */
export interface WallClock {
  /** Microseconds since 1970, UTC. */
  utc: number;
  source: ClockSource;
  /** Milliseconds that it may be off, either way, against its source. */
  plusMinusMs: number;
}

export interface CapturedFrame extends WallClock {
  blob: Blob;
  /** For a file: camera and UTC. */
  name: string;
  width: number;
  height: number;
  tenant: string;
  camera: string;
  /** What the tile said of itself: only `live` and `late` mean now. */
  state: State;
  live: boolean;
  /** What was written over the picture; '': nothing. */
  watermark: string;
}

/** The part of a picture that shows. */
export interface Zoom {
  /** 1 (all of it) to 12. */
  scale: number;
  /** What is in the middle, as shares of the tile from its left and its top: 0 to 1. */
  x: number;
  y: number;
}

/**
 * `<vigie-player>`: one camera, live or from its recording.
 *
 * Attributes: `src` (the centre's address; the page's own by default), `tenant`, `camera`, `label`, `number`, `at`
 * (RFC 3339: play the recording from there; absent: live), `clock` (`local`, `utc`), `latency` (`low`, `balanced`,
 * `smooth`), `zoomable` (wheel, pinch, drag, `+` `-` `0` and the arrows), `watermark`.
 */
export class VigiePlayer extends HTMLElement {
  /** Shown to the centre with every request; stands in no address. Another one is shown at once, and what plays goes on. */
  token: string;
  /**
   * Who is looking: drawn over the picture and into captures, and no picture shows without it. It is put back where it is taken
   * away; who has the page's tools can still come by the picture itself (`video`).
   */
  watermark: string;
  /** Digital zoom; captures have the whole picture. `vigie-zoom` tells of changes. */
  zoom: Zoom;
  /** Milliseconds that the centre's clock is ahead of this page's. */
  clockOffset: number;
  /**
   * Of the recording, 1/8 to 32, backwards where negative; a live picture keeps its own. Beyond what browsers decode
   * (above 16, or 210 million pixels a second) and faster than twice backwards, key pictures alone, and the tile says so.
   */
  playbackRate: number;
  /** The moment on the screen, or to go to: seconds since 1970, UTC; NaN before the first picture. */
  currentTime: number;
  readonly videoWidth: number;
  readonly videoHeight: number;
  /** As of `HTMLMediaElement`. */
  readonly readyState: number;
  readonly seeking: boolean;
  readonly ended: boolean;
  /** Why it cannot play, with the codes of `MediaError`; null where it can. */
  readonly error: { code: number; message: string } | null;
  readonly state: State;
  readonly cause: Cause | null;
  /** The picture on the screen. */
  readonly picture: Picture | null;
  /** Milliseconds from the live picture on the screen to now. */
  readonly delay: number | null;
  readonly format: Format | null;
  readonly isLive: boolean;
  readonly paused: boolean;
  /** To read pixels from. Its rate and its playhead are the player's to write. */
  readonly video: HTMLVideoElement;
  /** Plays what the camera sends now. */
  live(): void;
  /** Plays the recording from a moment on. */
  seek(utc: number): void;
  play(): Promise<void>;
  pause(): void;
  /** So many pictures on, or back where negative; pauses. True once that one is on the screen, false where there is none. */
  step(n: number): Promise<boolean>;
  /** Plays the recording from so many seconds ago; 30 by default. */
  replay(seconds?: number): void;
  /** When the picture on the screen was taken, who says so, and how far it may be off. */
  getWallClock(): WallClock | null;
  /** The picture on the screen as a file, and what is known of it; null where none is. */
  captureFrame(options?: { type?: string; quality?: number }): Promise<CapturedFrame | null>;
  getStats(): Record<string, unknown> | null;
  /** Has the Worker's counts put into {@link getStats}, a moment later. */
  refreshStats(): void;
}

export interface WallCamera {
  tenant: string;
  id: string;
  name?: string;
  number?: number | string;
  /** Name of its smaller stream at the centre: shown where the tile is small. */
  sub?: string;
}

/**
 * `<vigie-wall>`: several cameras in a grid. Keys are `tenant/camera`. Attributes: `src`, `clock`, `latency`, `zoomable`,
 * `watermark`, `layout` (`1`, `4`, `9`, `16`, `25`, `1+5`, or drawn as CSS's `grid-template-areas` is: `aab aac def`; by the number
 * of cameras where absent), `arranging` (one click takes a tile, another gives it its place: WCAG 2.5.7), `name` (layout and order are kept by it in this browser), `window` (the page of a second window: it
 * imports `guest.js` and has a `<vigie-wall>`; `wall.html` beside `index.js` where absent). Both windows are of one origin, under
 * the same Cross-Origin-Opener-Policy.
 */
export class VigieWall extends HTMLElement {
  cameras: WallCamera[];
  token: string;
  clockOffset: number;
  selected: string | null;
  enlarged: string | null;
  /** Which page of a layout that has no room for all is shown; from 0. */
  page: number;
  readonly pages: number;
  /** Keys of all cameras as they are arranged; those that are not named stand behind. */
  order: string[];
  /** Keys of the cameras that are in a second window. Choosing one brings that to the front. */
  readonly away: string[];
  /** Two cameras change places, as by dragging or Shift with an arrow. */
  swap(a: string, b: string): void;
  /**
   * Moves cameras (the chosen one) into a window of their own; they come back when it closes. False where the browser opens none:
   * then the wall says so. Call it from a click or a key.
   */
  openWindow(keys?: string[]): boolean;
  /** Full screen, and back. */
  toggleFullscreen(): Promise<void>;
  player(key: string | null): VigiePlayer | null;
  /** Takes a key pressed elsewhere on the page: was it one of the wall's? */
  key(event: KeyboardEvent): boolean;
}

/** An alarm or a hold, and what the timeline says of it. */
export interface Mark extends Span {
  label: string;
}

/** One camera's row of the timeline. */
export interface Row {
  key: string;
  label: string;
  /** Recorded, in order. */
  ranges: Span[];
  /** Not recorded, and why. */
  gaps: Gap[];
  /** What the page calls one, in order. */
  alarms?: Mark[];
  /** Kept beyond their time, and for what. */
  holds?: Mark[];
}

/** `<vigie-timeline>`: what is recorded and what is not; a click asks for that moment. Times are UTC microseconds. */
export class VigieTimeline extends HTMLElement {
  rows: Row[];
  view: Span;
  /** The present by the centre's clock. */
  now: number;
  /** The moment on the screen. */
  position: number | null;
  live: boolean;
  selected: string | null;
  clock: 'local' | 'utc';
  /** Gives a small picture of a moment, shown above the pointer: `(...those) => previews.picture(...those)`. */
  pictures: ((key: string, utc: number, signal: AbortSignal) => Promise<Preview | null>) | null;
  /** Takes in colours that the page changed. */
  repaint(): void;
  /** Where a moment of a row lies in the window. */
  pointOf(utc: number, key: string): { x: number; y: number };
  /** `UTC+1`. */
  readonly zone: string;
}

/** How fast a camera is to turn and zoom, each −1 to 1: right, up and closer are positive; all 0: stop. */
export interface Velocity {
  pan: number;
  tilt: number;
  zoom: number;
}

/** What `<vigie-ptz>` tells; `reason`: why it stopped. */
export interface PtzDetail extends Velocity {
  reason?: 'hand' | 'blur' | 'pointer' | 'gamepad' | 'disabled';
}

/**
 * `<vigie-ptz>`: moves a camera by pad, keys or gamepad. It sends nothing itself: a page passes its `vigie-ptz` events on. While
 * something moves the same velocity is told every 0.4 s: a server that hears nothing for a second should stop the camera.
 *
 * Attributes: `disabled`; `gamepad` (absent: none; a number: that one; else the one that moves), `rate` (events a second at
 * most, 10), `dead` (dead zone, 0.12) and `curve` (2: half of the way is a quarter of the speed).
 */
export class VigiePtz extends HTMLElement {
  disabled: boolean;
  /** What was told last. */
  readonly velocity: Velocity;
}

/** A small picture, and when it was taken: microseconds since 1970, UTC. */
export interface Preview {
  image: HTMLCanvasElement;
  utc: number;
}

/** Asks a centre for small pictures of moments of its recordings. */
export class VigiePreviews {
  constructor(options?: { src?: string; token?: string });
  src: string;
  /** Stands in the header alone. */
  token: string;
  /** Of a camera (`tenant/camera`) at a moment (microseconds, UTC); null where there is none. */
  picture(key: string, utc: number, signal?: AbortSignal): Promise<Preview | null>;
}

/**
 * Holds players to one moment of their recordings, within 100 ms. Where a camera recorded nothing its player waits at the
 * next picture until that one's moment comes.
 */
export class VigieSync {
  constructor(players: Iterable<VigiePlayer>);
  /** 1/8 to 2. */
  playbackRate: number;
  readonly paused: boolean;
  /** The moment that all are held to: seconds since 1970, UTC. */
  readonly currentTime: number;
  /** Milliseconds between the camera furthest on and the one furthest behind; null where fewer than two play. */
  readonly spread: number | null;
  /** All go to a moment (microseconds, UTC); true once all show theirs, false where another was asked for meanwhile. */
  seek(utc: number): Promise<boolean>;
  play(): void;
  pause(): void;
  /** Lets the players go. */
  release(): void;
}

export const STATES: Record<State, { mark: string; word: string }>;
export const CAUSES: Record<string, { what: string; then: string }>;
export const CLOCKS: Record<string, string>;
export const GAPS: Record<string, string>;
/** The words of one language: for a page that says what its players say. */
export interface Words {
  lang: string;
  states: Record<State, string>;
  causes: Record<string, [what: string, then: string]>;
  gaps: Record<string, string>;
  clocks: Record<string, string>;
  phrases: { days: string };
}
/** English where there is no table of that language (BCP 47), or where it does not load. */
export function words(lang: string): Promise<Words>;
export function explain(cause: Cause | null, words?: Words): { what: string; then: string } | null;
export function gapCause(cause: string, words?: Words): string;
export function day(utc: number, clock: 'local' | 'utc', lang?: string): string;
export function minuteOfDay(utc: number, clock: 'local' | 'utc'): string;
export function timeOfDay(utc: number, clock: 'local' | 'utc', digits?: 0 | 1 | 2 | 3): string;
export function zone(utc: number, clock: 'local' | 'utc'): string;
export function span(ms: number, words?: { days?: string }): string;

export interface VigiePlayerEventMap extends HTMLElementEventMap {
  'vigie-state': CustomEvent<{ state: State; cause: Cause | null }>;
  'vigie-picture': CustomEvent<Picture>;
  'vigie-gap': CustomEvent<Gap>;
  'vigie-zoom': CustomEvent<Zoom>;
}

export interface VigieWallEventMap extends HTMLElementEventMap {
  'vigie-select': CustomEvent<string | null>;
  'vigie-enlarge': CustomEvent<string | null>;
  'vigie-state': CustomEvent<{ key: string; state: State; cause: Cause | null }>;
  'vigie-stream': CustomEvent<{ key: string; main: boolean }>;
  /** `kept`: there was room for it in this browser. */
  'vigie-arrange': CustomEvent<{ order: string[]; kept: boolean }>;
  'vigie-window': CustomEvent<{ keys: string[]; open: boolean; blocked: boolean }>;
}

declare global {
  interface HTMLElementTagNameMap {
    'vigie-player': VigiePlayer;
    'vigie-wall': VigieWall;
    'vigie-timeline': VigieTimeline;
    'vigie-ptz': VigiePtz;
  }
}
