// @ts-check
/** Retries of dead letters that this page asked for: pending at once, settled by the hub's answer, with its reason when refused (R13). */

import { effect, signal } from '@preact/signals';
import { toast } from '../ui/toast.js';
import { askSnapshot, isLive, onFrame, send, snapshot } from './hub.js';

const ANSWER_MS = 10000;

const REFUSALS = new Map([
  ['not_found', 'It is no longer among the dead letters.'],
  ['forbidden', 'The hub does not allow retries from this page.'],
  ['unavailable', 'The hub is away. Try again when the page is live.'],
]);

/** @typedef {{status: 'pending' | 'requeued' | 'failed', reason: string}} Retry */

/** @type {import('@preact/signals').Signal<ReadonlyMap<string, Retry>>} by task id */
export const retries = signal(new Map());

/** @param {string} taskId */
export function retryTask(taskId) {
  const retry = set(taskId, 'pending');
  setTimeout(() => {
    if (retries.peek().get(taskId) === retry) set(taskId, 'failed', 'The hub did not answer within 10 s.');
  }, ANSWER_MS);
  if (!send({ type: 'retry_task', task_id: taskId })) set(taskId, 'failed', 'Not connected to the hub. Try again when the page is live.');
}

export function startRetries() {
  onFrame((frame) => {
    if (frame.type === 'retry_result') answered(String(frame.task_id), String(frame.status));
  });
  effect(() => {
    if (!isLive.value) failPending('The connection was lost before the hub answered.');
  });
  effect(() => settle(new Set((snapshot.value?.dead_letter_tasks ?? []).map((/** @type {any} */ task) => task.id))));
}

/**
 * @param {string} taskId
 * @param {string} status
 */
function answered(taskId, status) {
  if (status === 'requeued') {
    set(taskId, 'requeued');
    toast('ok', 'The task is queued again.');
  } else {
    const reason = REFUSALS.get(status) ?? `The hub answered "${status}".`;
    set(taskId, 'failed', reason);
    toast('warning', `The task was not queued again. ${reason}`);
  }
  askSnapshot();
}

/** @param {string} reason */
function failPending(reason) {
  for (const [taskId, retry] of retries.peek()) if (retry.status === 'pending') set(taskId, 'failed', reason);
}

/** @param {Set<string>} dead ids of the tasks that are dead letters now */
function settle(dead) {
  const left = [...retries.peek()].filter(([taskId, retry]) => dead.has(taskId) || retry.status === 'pending');
  if (left.length < retries.peek().size) retries.value = new Map(left);
}

/**
 * @param {string} taskId
 * @param {Retry['status']} status
 * @param {string} [reason] a sentence
 * @returns {Retry}
 */
function set(taskId, status, reason = '') {
  const retry = { status, reason };
  retries.value = new Map([...retries.peek(), [taskId, retry]]);
  return retry;
}
