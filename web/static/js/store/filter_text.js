// @ts-check
/** The filter language as the page needs it: cutting a filter into its terms, and knowing keys. What a filter means only the hub says. */

import { get } from '../net/api.js';

/** @typedef {{value: string, text: string, says: string, count: number | null}} Suggestion */

/** What the hub answered to the question for keys. @type {Promise<Suggestion[]> | null} */
let asked = null;

/** @returns {Promise<Suggestion[]>} the keys that there are */
export function keysOfFilter() {
  asked ??= get('/api/dashboard/tasks/suggest').then(
    ({ suggestions }) => suggestions,
    () => {
      asked = null;
      return [];
    },
  );
  return asked;
}

/**
 * The terms of a filter, as written. A quotation mark that is not closed takes the rest.
 * @param {string} text
 * @returns {string[]}
 */
export function termsOf(text) {
  return text.match(/-?(?:[A-Za-z][A-Za-z_-]*:)?(?:(?:[<>]?=?"(?:\\.|[^"\\])*"?|[^\s",]+|,)+|"(?:\\.|[^"\\])*"?)/g) ?? [];
}

/**
 * @param {string} term
 * @returns {{sign: string, key: string, value: string} | null} null: words, which have no key
 */
export function partsOf(term) {
  const match = /^(-?)([A-Za-z][A-Za-z_-]*):(.*)$/s.exec(term);
  return match ? { sign: match[1] ?? '', key: (match[2] ?? '').toLowerCase().replaceAll('_', '-'), value: match[3] ?? '' } : null;
}

/**
 * A value as it may stand in a filter.
 * @param {string} value
 */
export function quoted(value) {
  return /^[^\s",:<>=\\-][^\s",:<>=\\]*$/.test(value) ? value : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * The key that was probably meant.
 * @param {string} name
 * @param {string[]} names
 */
export function nearest(name, names) {
  const ranked = names.map((one) => ({ one, far: distance(name, one) })).sort((a, b) => a.far - b.far);
  return ranked[0] && ranked[0].far <= Math.max(2, name.length / 2) ? ranked[0].one : null;
}

/**
 * Letters to be changed, added or taken away.
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  let before = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let at = 1; at <= one.length; at++) {
    const row = [at];
    for (let to = 1; to <= other.length; to++) {
      const change = (before[to - 1] ?? 0) + (one[at - 1] === other[to - 1] ? 0 : 1);
      row.push(Math.min(change, (before[to] ?? 0) + 1, (row[to - 1] ?? 0) + 1));
    }
    before = row;
  }
  return before[other.length] ?? 0;
}

/**
 * The filter that an address names; older addresses name fields of their own.
 * @param {URLSearchParams} query
 */
export function filterOf(query) {
  const older = [
    ['status', 'state'],
    ['priority', 'lane'],
    ['assigned_to', 'agent'],
    ['capability', 'needs'],
  ];
  const terms = [query.get('q') ?? ''];
  for (const [name, key] of older) {
    const value = query.get(String(name));
    if (value) terms.push(`${key}:${quoted(value)}`);
  }
  return terms.filter(Boolean).join(' ');
}
