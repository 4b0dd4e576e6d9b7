// What page and Worker say to each other. Types only: nothing here runs.

/**
 * Where a stream comes from.
 * @typedef {object} Source
 * @property {string} base    The centre's address: `https://centre.example/`.
 * @property {string} tenant
 * @property {string} camera
 * @property {string} token   What is shown there. Another one takes its place while it plays.
 */

/**
 * One picture's times.
 * @typedef {object} Picture
 * @property {number} time      Seconds on the video element's clock.
 * @property {number} utc       Microseconds since 1970, UTC: when it was taken.
 * @property {ClockSource} source  Where that UTC comes from.
 * @property {number} error     Microseconds that it may be off, either way, against that source.
 * @property {UserData[]} [userData]  What the encoder wrote into the picture (SEI user_data_unregistered).
 */

/** @typedef {'onvif-extension' | 'sender-report' | 'range-clock' | 'arrival' | 'index'} ClockSource */

/** @typedef {{uuid: string, hex: string}} UserData  The UUID in its usual form, the payload in hexadecimal. */

/**
 * What the stream carries.
 * @typedef {object} Format
 * @property {string} codec   `H.264` or `H.265`.
 * @property {string} string  RFC 6381: `avc1.640028`.
 * @property {number} width
 * @property {number} height
 */

/**
 * A fragment as the machines in WebAssembly tell of it (their `text()`), times in ticks (90 kHz) on the stream's own clock;
 * `feed.js` makes seconds of them.
 * @typedef {object} FragmentText
 * @property {number} start
 * @property {number} end
 * @property {number} epoch
 * @property {boolean} randomAccess
 * @property {boolean} damaged     Packets lost in it or before it, or a picture not whole.
 * @property {[number, number, number, number][]} pictures  `[pts, utc µs, clock source, error µs]`.
 * @property {[number, string, string][]} userData   `[pts, uuid, hex]`.
 */

/** Why a stream does not play just now. @typedef {{kind: CauseKind, text?: string, code?: string}} Cause */

/**
 * @typedef {'centre-unreachable' | 'connection-lost' | 'refused' | 'not-found' | 'camera-silent' | 'camera-gone'
 *   | 'no-video' | 'protocol' | 'codec' | 'unsupported' | 'wasm-blocked' | 'media-blocked' | 'decoder' | 'memory'
 *   | 'no-recording' | 'storage' | 'worker'} CauseKind
 */

/** @typedef {{from: number, to: number, cause: string}} Gap  UTC microseconds. */

/**
 * @typedef {{type: 'open', id: number, source: Source, at: number | null, page: boolean, latency: string, offset: number}
 *   | {type: 'token', id: number, token: string}
 *   | {type: 'latency', id: number, latency: string}
 *   | {type: 'clock', id: number, offset: number}
 *   | {type: 'close', id: number}
 *   | {type: 'live', id: number}
 *   | {type: 'seek', id: number, utc: number, back?: boolean}
 *   | {type: 'film', id: number, utc: number, speed: number}
 *   | {type: 'back', id: number, utc: number | null}
 *   | {type: 'suspend', id: number, on: boolean}
 *   | {type: 'playhead', id: number, time: number, rate: number, end: number, newest: number, pictures: number, flags: number}
 *   | {type: 'rebuild', id: number, page: boolean, utc: number | null}
 *   | {type: 'ask', id: number}
 *   | {type: 'sink', id: number, generation: number, report: SinkReport}} ToWorker
 */

/**
 * What happened to the media buffer.
 * @typedef {{kind: 'open'} | {kind: 'unsupported', mime: string} | {kind: 'quota', bytes: number}
 *   | {kind: 'failed', text: string}} SinkReport
 */

/**
 * @typedef {{type: 'attach', id: number, generation: number, handle: object | null}
 *   | {type: 'init', id: number, generation: number, format: Format, bytes: ArrayBuffer | null}
 *   | {type: 'fragment', id: number, generation: number, start: number, end: number, offset: number,
 *      damaged: boolean, randomAccess: boolean, arrived: number, size: number, pictures: Picture[], bytes: ArrayBuffer | null}
 *   | {type: 'start', id: number, generation: number, time: number}
 *   | {type: 'pace', id: number, generation: number, rate: number, seek: number | null, rung: number, target: number,
 *      jumps: number, underruns: number}
 *   | {type: 'gap', id: number, gap: Gap, time: number}
 *   | {type: 'end', id: number}
 *   | {type: 'first', id: number}
 *   | {type: 'connection', id: number, up: boolean, cause: Cause | null, attempt: number}
 *   | {type: 'sink', id: number, generation: number, report: SinkReport}
 *   | {type: 'stats', id: number, stats: Record<string, any>}
 *   | {type: 'ready', mse: boolean}
 *   | {type: 'crashed', text: string}
 *   | {type: 'failed', cause: Cause}} FromWorker
 */

export {};
