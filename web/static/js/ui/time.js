// @ts-check
/** Times and spans as words. Times are Unix milliseconds in the hub's time. */

import { timeZone } from '../store/choices.js';
import { html } from './html.js';
import { now } from './clock.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * "3 min ago", with the absolute time in its title; moves by itself.
 * @param {{at: unknown, prefix?: string}} props `prefix`: put before the absolute time in the title, for instance "Created"
 */
export function Ago({ at, prefix }) {
  if (!isTime(at)) return html`<time>–</time>`;
  const age = Math.max(0, now.value - at);
  return html`<time ...${timeAttributes(at, prefix)}>${age < SECOND ? 'now' : `${roughly(age)} ago`}</time>`;
}

/**
 * "3 min": how long it has been so.
 * @param {{at: unknown, prefix?: string}} props
 */
export function For({ at, prefix = 'Since' }) {
  if (!isTime(at)) return html`<time>–</time>`;
  return html`<time ...${timeAttributes(at, prefix)}>${roughly(Math.max(0, now.value - at))}</time>`;
}

/**
 * @param {number} at
 * @param {string} [prefix]
 */
function timeAttributes(at, prefix) {
  return { datetime: new Date(at).toISOString(), title: `${prefix ? `${prefix} ` : ''}${absolute(at)}` };
}

/**
 * @param {unknown} at
 * @returns {at is number}
 */
export function isTime(at) {
  return typeof at === 'number' && Number.isFinite(at) && at > 0 && at < 8.64e15;
}

/**
 * A span in its largest unit: "42 s", "3 min", "5 h", "2 d".
 * @param {number} ms
 */
export function roughly(ms) {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/**
 * A measured duration in one unit, for where there is little room: "850 ms", "12.4 s", "1.6 min", "3 h".
 * @param {unknown} ms
 */
export function short(ms) {
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) return '–';
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  const [size, unit] = ms < MINUTE ? [SECOND, 's'] : ms < HOUR ? [MINUTE, 'min'] : ms < 2 * DAY ? [HOUR, 'h'] : [DAY, 'd'];
  return `${Math.round((10 * ms) / Number(size)) / 10} ${unit}`;
}

/**
 * A measured duration: "850 ms", "12.4 s", "3 min 5 s", "1 h 2 min".
 * @param {unknown} ms
 */
export function duration(ms) {
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) return '–';
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE - 50) return `${(ms / SECOND).toFixed(1)} s`;
  return span(ms);
}

/**
 * The two largest units of a span, seconds at the finest: "2 d 3 h", "3 h 12 min", "4 min 5 s".
 * @param {number} ms
 */
export function span(ms) {
  const parts = [
    [Math.floor(ms / DAY), 'd'],
    [Math.floor((ms % DAY) / HOUR), 'h'],
    [Math.floor((ms % HOUR) / MINUTE), 'min'],
    [Math.floor((ms % MINUTE) / SECOND), 's'],
  ];
  const first = parts.findIndex(([amount]) => Number(amount) > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount], index) => index === 0 || Number(amount) > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** @param {number} at */
export function clockTime(at) {
  const { hour, minute, second } = partsOf(at);
  return `${hour}:${minute}:${second}`;
}

/** @param {number} at */
export function dayName(at) {
  const { month, day } = partsOf(at);
  return `${Number(day)} ${MONTHS[Number(month) - 1]}`;
}

/** @param {number} at */
export function absolute(at) {
  const { year, month, day, timeZoneName = '' } = partsOf(at);
  return `${year}-${month}-${day} ${clockTime(at)} ${timeZoneName}`.trim();
}

/**
 * What `absolute` and `clockTime` show, read back.
 * @param {string} text of a `datetime-local` field, in the zone that the reader chose
 * @returns {number} Unix milliseconds, or NaN
 */
export function momentOf(text) {
  const asUtc = Date.parse(`${text}Z`);
  if (!Number.isFinite(asUtc)) return NaN;
  // The difference of the zone is that of the moment itself, which is known but for a change of the clocks in between.
  const nearly = asUtc - aheadOfUtc(asUtc);
  return asUtc - aheadOfUtc(nearly);
}

/**
 * How far the chosen zone is ahead of UTC.
 * @param {number} at
 */
function aheadOfUtc(at) {
  const { year, month, day, hour, minute, second } = partsOf(at);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - Math.floor(at / SECOND) * SECOND;
}

/**
 * A time as uPlot wants it, whose `getHours()` and the like are those of the chosen zone, so that its axis is cut at midnight there.
 * @param {number} at Unix seconds
 */
export function inChosenZone(at) {
  const { year, month, day, hour, minute, second } = partsOf(at * SECOND);
  return new Date(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}

/** @type {{zone: string, format: Intl.DateTimeFormat} | null} */
let made = null;

/**
 * A time in the zone that the reader chose.
 * @param {number} at
 * @returns {Record<string, string>}
 */
function partsOf(at) {
  const zone = timeZone.value;
  if (made?.zone !== zone) {
    const two = /** @type {const} */ ('2-digit');
    made = {
      zone,
      format: new Intl.DateTimeFormat('en-GB', {
        year: 'numeric', month: two, day: two, hour: two, minute: two, second: two,
        hourCycle: 'h23', timeZone: zone || undefined, timeZoneName: 'short',
      }),
    };
  }
  return Object.fromEntries(made.format.formatToParts(at).map(({ type, value }) => [type, value]));
}
