// @ts-check
/**
 * What tasks are called, for places that know only their ids: the agents of a snapshot. Asked for a page at a time when one is not
 * known, at most once in three seconds, and kept in a bounded number.
 */

import { signal } from '@preact/signals';
import { get } from '../net/api.js';
import { paused } from './hub.js';

const AT_MOST_EVERY_MS = 3000;
const ASKED_AT_ONCE = 100;
const KEPT = 1000;

/** @type {import('@preact/signals').Signal<ReadonlyMap<string, string>>} by task id */
export const titles = signal(new Map());

let askedAt = -Infinity;
let timer = 0;

/** @param {string[]} ids of tasks that agents have */
export function wantTitles(ids) {
  if (timer || paused.peek() || ids.every((id) => titles.peek().has(id))) return;
  timer = setTimeout(() => void ask(), Math.max(0, askedAt + AT_MOST_EVERY_MS - performance.now()));
}

async function ask() {
  askedAt = performance.now();
  try {
    const { tasks } = await get(`/api/dashboard/tasks?q=state:assigned&limit=${ASKED_AT_ONCE}`);
    const found = tasks.map((/** @type {any} */ task) => [task.id, String(task.title)]);
    titles.value = new Map([...titles.peek(), ...found].slice(-KEPT));
  } catch {
    // the ids are shown instead, and it is asked again with the next unknown one
  } finally {
    timer = 0;
  }
}
