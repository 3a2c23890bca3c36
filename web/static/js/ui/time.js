// @ts-check
/**
 * The page's clock. One timer moves every relative time on the page; all are counted in the hub's time, which is this
 * computer's clock corrected by the timestamp of the last snapshot. Times are Unix milliseconds.
 */

import { el, setAttribute, setText } from './dom.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A difference below this is travel time and timer grain, not a wrong clock. */
const CLOCK_TOLERANCE = 1500;

let offset = 0;

/** @type {Set<() => void>} */
const listeners = new Set();

/** Now, in the hub's time. */
export function hubNow() {
  return Date.now() + offset;
}

/** @param {number} timestamp the hub's time at this moment */
export function correctClock(timestamp) {
  const difference = timestamp - Date.now();
  if (Math.abs(difference - offset) > CLOCK_TOLERANCE) offset = difference;
}

/** @param {() => void} listener called about once a second */
export function onTick(listener) {
  listeners.add(listener);
}

export function startTicking() {
  const tick = () => {
    for (const node of document.querySelectorAll('time[data-at]')) refresh(/** @type {HTMLTimeElement} */ (node));
    for (const listener of listeners) listener();
    setTimeout(tick, SECOND - (Date.now() % SECOND) + 5);
  };
  tick();
}

/**
 * A relative time that moves by itself.
 * @param {'ago' | 'for'} form `ago`: "3 min ago", `for`: "3 min"
 * @returns {HTMLTimeElement}
 */
export function relativeTime(form) {
  return el('time', { 'data-form': form });
}

/**
 * @param {HTMLTimeElement} node made by `relativeTime`
 * @param {unknown} at Unix milliseconds; anything else shows a dash
 * @param {string} [prefix] put before the absolute time in the title, for instance "Created"
 */
export function setRelativeTime(node, at, prefix = '') {
  if (!isTime(at)) {
    setAttribute(node, 'data-at', null);
    setAttribute(node, 'title', null);
    setText(node, '–');
    return;
  }
  if (node.dataset.at === String(at)) return;
  setAttribute(node, 'data-at', at);
  setAttribute(node, 'datetime', new Date(at).toISOString());
  setAttribute(node, 'title', `${prefix}${prefix ? ' ' : ''}${absolute(at)}`);
  refresh(node);
}

/** @param {HTMLTimeElement} node */
function refresh(node) {
  const age = Math.max(0, hubNow() - Number(node.dataset.at));
  if (node.dataset.form === 'for') setText(node, roughly(age));
  else setText(node, age < SECOND ? 'now' : `${roughly(age)} ago`);
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
function span(ms) {
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

/**
 * A running clock: "0:04:05", "23:59:59", "3 d 4:05:06".
 * @param {number} ms
 */
export function stopwatch(ms) {
  const pad = (/** @type {number} */ value) => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(ms / DAY);
  const clock = `${Math.floor((ms % DAY) / HOUR)}:${pad((ms % HOUR) / MINUTE)}:${pad((ms % MINUTE) / SECOND)}`;
  return days > 0 ? `${days} d ${clock}` : clock;
}

/** @param {number} at */
export function clockTime(at) {
  return new Date(at).toLocaleTimeString('en-GB', { hour12: false });
}

/** @param {number} at */
export function absolute(at) {
  const date = new Date(at);
  const pad = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date);
  return `${day} ${clockTime(at)} ${zone.find((part) => part.type === 'timeZoneName')?.value ?? ''}`.trim();
}
