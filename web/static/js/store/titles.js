// @ts-check
/**
 * What tasks are called, for places that know only their ids: the agents of a snapshot, events. Those that are not known are asked for
 * together, at most once a second, and kept in a bounded number.
 */

import { signal } from '@preact/signals';
import { get } from '../net/api.js';
import { paused } from './hub.js';

const AT_MOST_EVERY_MS = 1000;
const ASKED_AT_ONCE = 80; // ids that fit into the longest filter, of 2,000 characters
const WANTED_MAX = 200;
const KEPT = 1000;

/** @type {import('@preact/signals').Signal<ReadonlyMap<string, string>>} by task id; empty for a task that the hub does not have any more */
export const titles = signal(new Map());

/** @type {Set<string>} */
let wanted = new Set();
let askedAt = -Infinity;
let timer = 0;

/** @param {string[]} ids of tasks that are shown */
export function wantTitles(ids) {
  const unknown = ids.filter((id) => !titles.peek().has(id));
  wanted = new Set([...wanted, ...unknown].slice(-WANTED_MAX));
  if (timer || paused.peek() || wanted.size === 0) return;
  timer = setTimeout(() => void ask(), Math.max(0, askedAt + AT_MOST_EVERY_MS - performance.now()));
}

async function ask() {
  askedAt = performance.now();
  const ids = [...wanted].slice(0, ASKED_AT_ONCE);
  for (const id of ids) wanted.delete(id);
  try {
    const { tasks } = await get(`/api/dashboard/tasks?${new URLSearchParams({ q: `id:${ids.join(',')}`, limit: String(ids.length) })}`);
    const found = new Map(tasks.map((/** @type {any} */ task) => [task.id, String(task.title)]));
    titles.value = new Map([...titles.peek(), .../** @type {[string, string][]} */ (ids.map((id) => [id, found.get(id) ?? '']))].slice(-KEPT));
  } catch {
    // the ids are shown instead, and it is asked again when they are wanted again
  } finally {
    timer = 0;
    wantTitles([]);
  }
}
