// @ts-check
/** Named filters of the list of tasks: those that come with the page, and those that this browser keeps. */

import { kept } from './kept.js';

const VIEWS_MAX = 30;
const NAME_CHARS = 60;

/** @typedef {{name: string, q: string, sort: string}} View */

/** @type {View[]} */
export const SHIPPED = [
  { name: 'All', q: '', sort: '-created' },
  { name: 'Waiting', q: 'state:queued', sort: 'lane' },
  { name: 'Running', q: 'state:assigned', sort: '-created' },
  { name: 'Failed today', q: 'state:dead_letter updated:<24h', sort: '-created' },
  { name: 'Done today', q: 'state:completed updated:<24h', sort: '-ended' },
  { name: 'Slow today', q: 'state:completed updated:<24h took:>1m', sort: '-ended' },
];

/** In the order in which they were saved. @type {import('@preact/signals').Signal<View[]>} */
export const savedViews = kept('agentcom.task-views', /** @type {View[]} */ ([]), isViews);

/**
 * Under a name that is taken it replaces what is there.
 * @param {View} view
 * @returns {string | null} why it was not saved
 */
export function saveView(view) {
  const name = view.name.trim().slice(0, NAME_CHARS);
  if (!name) return 'Give the view a name.';
  if (SHIPPED.some((one) => one.name.toLowerCase() === name.toLowerCase())) return 'A view that comes with the page has this name.';
  const at = savedViews.value.findIndex((one) => one.name === name);
  if (at < 0 && savedViews.value.length >= VIEWS_MAX) return `There are ${VIEWS_MAX} views already; delete one first.`;
  const made = { ...view, name };
  savedViews.value = at < 0 ? [...savedViews.value, made] : savedViews.value.map((one, place) => (place === at ? made : one));
  return null;
}

/**
 * @param {string} from
 * @param {string} to
 * @returns {string | null} why it was not renamed
 */
export function renameView(from, to) {
  const name = to.trim().slice(0, NAME_CHARS);
  if (!name) return 'Give the view a name.';
  if (name !== from && [...savedViews.value, ...SHIPPED].some((one) => one.name === name)) return 'Another view has this name.';
  savedViews.value = savedViews.value.map((one) => (one.name === from ? { ...one, name } : one));
  return null;
}

/** @param {string} name */
export function deleteView(name) {
  savedViews.value = savedViews.value.filter((one) => one.name !== name);
}

/** @param {unknown} value */
function isViews(value) {
  return Array.isArray(value) && value.length <= VIEWS_MAX && value.every((one) => ['name', 'q', 'sort'].every((field) => typeof one?.[field] === 'string'));
}
