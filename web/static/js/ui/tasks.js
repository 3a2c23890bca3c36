// @ts-check
/** How a task's state and lane look, wherever they stand. */

import { el, foreignText, setAttribute, setText } from './dom.js';
import { icon, setIcon } from './icons.js';

/** @type {Map<string, {word: string, symbol: string, tone: string}>} */
export const STATUSES = new Map([
  ['queued', { word: 'Queued', symbol: 'queued', tone: 'idle' }],
  ['assigned', { word: 'Working', symbol: 'working', tone: 'info' }],
  ['completed', { word: 'Completed', symbol: 'ok', tone: 'ok' }],
  ['dead_letter', { word: 'Dead letter', symbol: 'critical', tone: 'critical' }],
  ['cancelled', { word: 'Cancelled', symbol: 'cancelled', tone: 'idle' }],
]);

export const LANES = ['urgent', 'high', 'normal', 'low'];

/**
 * A task as `/api/dashboard/tasks` shows it.
 * @typedef {{id: string, status: string, description: string, priority: number, assigned_to: string | null, generation: number,
 *   retry_count: number, max_retries: number, created_at: number, updated_at: number, [field: string]: any}} Task
 */

export function statusBadge() {
  const symbol = icon('queued');
  const word = el('span');
  const node = el('span', { class: 'state' }, symbol, word);
  return {
    node,
    update: (/** @type {string} */ status) => {
      const look = STATUSES.get(status) ?? { word: foreignText(status, 40), symbol: 'unknown', tone: 'idle' };
      setIcon(symbol, look.symbol);
      setText(word, look.word);
      setAttribute(node, 'class', `state tone-${look.tone}`);
    },
  };
}

/** @param {number} priority */
export function laneName(priority) {
  return LANES[priority] ?? String(priority);
}

/** @param {string} taskId */
export function taskAddress(taskId) {
  return `/tasks/${encodeURIComponent(taskId)}`;
}
