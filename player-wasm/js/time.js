// Moments in words. UTC in microseconds, as everywhere here.

/** @typedef {'local' | 'utc'} Clock */

/** Whole ones, so that a picture's own moment comes back from seconds as it was. @param {number} seconds */
export const micros = (seconds) => Math.round(seconds * 1e6);

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {Clock} clock @param {Intl.DateTimeFormatOptions} options @param {string} [lang] BCP 47 */
function format(clock, options, lang = 'en-GB') {
  const key = lang + clock + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(lang, { ...options, timeZone: clock === 'utc' ? 'UTC' : undefined });
    formats.set(key, made);
  }
  return made;
}

/**
 * `14:03:27.120`; fewer digits by choice.
 * @param {number} utc @param {Clock} clock @param {0 | 1 | 2 | 3} [digits]
 */
export function timeOfDay(utc, clock, digits = 3) {
  // Cut, not rounded: 59.9996 s is still this minute.
  const ms = Math.floor(utc / 1000);
  const whole = format(clock, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(ms);
  if (!digits) return whole;
  const fraction = String(((ms % 1000) + 1000) % 1000).padStart(3, '0');
  return `${whole}.${fraction.slice(0, digits)}`;
}

/** `14:03`. @param {number} utc @param {Clock} clock */
export const minuteOfDay = (utc, clock) =>
  format(clock, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(utc / 1000);

/** `22 Nov 2026`. @param {number} utc @param {Clock} clock @param {string} [lang] BCP 47 */
export const day = (utc, clock, lang) =>
  format(clock, { day: 'numeric', month: 'short', year: 'numeric' }, lang).format(utc / 1000);

/** `UTC`, `UTC+1`, `UTC−3:30`: the zone that times are written in. @param {number} utc @param {Clock} clock */
export function zone(utc, clock) {
  if (clock === 'utc') return 'UTC';
  const minutes = -new Date(utc / 1000).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
}

/** `2 ms`, `120 ms`, `2.4 s`, `3 min 05 s`, `2 h 10 min`, `13 d 22 h`. @param {number} ms @param {{days?: string}} [words]  What a day is called, in short. */
export function span(ms, { days = 'd' } = {}) {
  const [s, m, h] = [Math.round(ms / 1000), Math.floor(ms / 60_000), Math.floor(ms / 3_600_000)];
  if (ms < 20) return `${Math.round(ms)} ms`;
  if (ms < 1000) return `${Math.round(ms / 10) * 10} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (m < 60) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  if (h < 48) return `${h} h ${String(m % 60).padStart(2, '0')} min`;
  return `${Math.floor(h / 24)} ${days} ${h % 24} h`;
}
