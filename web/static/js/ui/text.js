// @ts-check
/** Foreign values as words. Text enters the page only as text nodes, so whatever an agent sends stays text. */

/** Characters of a foreign text that are shown at most: one huge word must not slow the page down. */
const TEXT_MAX = 400;

/** Control characters but tabs and line ends. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** What turns the direction of the text after it, so that `exe.png` can read as something else. Marks of one character's direction stay. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A foreign value as text that is safe to lay out: a string, without control characters, not endlessly long.
 * @param {unknown} value
 * @param {number} [max] characters
 * @returns {string}
 */
export function foreignText(value, max = TEXT_MAX) {
  if (value === null || value === undefined) return '';
  const text = (typeof value === 'string' ? value : String(value)).slice(0, max * 2);
  const points = Array.from(text.replace(CONTROLS, ' ').replace(TURNS, '\ufffd'));
  return points.length > max ? `${points.slice(0, max - 1).join('')}…` : points.join('');
}

/**
 * What tells an identifier from others; the whole stands in the element's title.
 * @param {string} id
 * @returns {string}
 */
export function shortId(id) {
  const own = id.replace(/^task-0*/, '');
  return own.length > 12 ? `…${own.slice(-8)}` : own;
}

/**
 * A number with separators, `–` when there is none.
 * @param {unknown} value
 * @returns {string}
 */
export function count(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value.toLocaleString('en') : '–';
}

/**
 * Whole below a million, "1.24M" from there.
 * @param {unknown} value
 */
export function compact(value) {
  if (typeof value !== 'number' || value < 1e6) return count(value);
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 }).format(value);
}

/**
 * "1 task", "2 tasks".
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

const BYTES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/**
 * "512 B", "1.5 MiB"; `–` when there is no number.
 * @param {unknown} value
 */
export function bytes(value) {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return '–';
  const step = Math.min(BYTES.length - 1, value < 1 ? 0 : Math.floor(Math.log2(value) / 10));
  const size = value / 1024 ** step;
  return `${step > 0 && size < 10 ? size.toFixed(1) : Math.round(size)} ${BYTES[step]}`;
}

/**
 * "62 %"; `–` when there is no number.
 * @param {unknown} part 0 to 1
 */
export function share(part) {
  return typeof part === 'number' ? `${Math.round(part * 100)}\u00a0%` : '–';
}
