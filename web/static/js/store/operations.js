// @ts-check
/** Bulk operations: what they are called, and how they are asked for. */

import { get, post } from '../net/api.js';

/** A preview of very many tasks takes the hub several looks. */
const PREVIEW_MS = 40000;

/** @typedef {'retry' | 'cancel' | 'lane' | 'reassign' | 'discard' | 'recover'} Action */

/** @typedef {{query?: string, ids?: string[]}} Selection the tasks of a filter, or those with these ids */

/**
 * @typedef {object} Operation
 * @property {string} id
 * @property {Action} action
 * @property {number | null} lane
 * @property {string | null} agent
 * @property {string | null} query
 * @property {string | null} made_by
 * @property {string} state
 * @property {number} total
 * @property {number} position
 * @property {number} done
 * @property {number} skipped
 * @property {number} failed
 * @property {number} probe
 * @property {number} over_ms
 * @property {string} note
 * @property {number} made_at
 * @property {number | null} ended_at
 *
 * @typedef {{preview: string, action: Action, count: number, changed: number, as_of: number, samples: any[]}} Preview
 */

/**
 * Dead letters of one cause.
 * @typedef {object} Group
 * @property {string} id
 * @property {string} reason
 * @property {string} shape
 * @property {number} count
 * @property {number} discarded
 * @property {number[]} by_lane
 * @property {number} first_at
 * @property {number} last_at
 * @property {number[]} hours
 * @property {string[]} agents
 * @property {any} sample
 * @property {any} last_retry
 * @property {{by: string, at: number, until: number, note: string | null, until_count: number} | null} muted
 */

/** @type {Record<Action, {verb: string, past: string, icon: string, fits: string, tone: string}>} */
export const ACTIONS = {
  retry: { verb: 'Retry', past: 'retried', icon: 'retry', fits: 'dead letters', tone: '' },
  cancel: { verb: 'Cancel', past: 'cancelled', icon: 'cancelled', fits: 'queued and working tasks', tone: 'critical' },
  lane: { verb: 'Change lane', past: 'moved', icon: 'lane-1', fits: 'queued tasks', tone: '' },
  reassign: { verb: 'Reassign', past: 'reassigned', icon: 'assigned', fits: 'queued tasks', tone: '' },
  discard: { verb: 'Discard', past: 'discarded', icon: 'cancelled', fits: 'dead letters', tone: 'critical' },
  recover: { verb: 'Recover', past: 'recovered', icon: 'retry', fits: 'discarded tasks', tone: '' },
};

/**
 * The filter that finds the dead letters of a group.
 * @param {string} group its id
 */
export function deadOf(group) {
  return `group:${group} state:dead_letter`;
}

/** @param {{state: string}} operation */
export function isRunning({ state }) {
  return state === 'running' || state === 'probing';
}

/**
 * @param {Action} action
 * @param {Selection} selection
 * @returns {Promise<Preview>}
 */
export function preview(action, selection) {
  return post('/api/operations/preview', { action, ...selection }, { timeoutMs: PREVIEW_MS });
}

/**
 * @param {Preview} previewed
 * @param {{lane?: string, agent?: string | null, over_s?: number, probe?: number}} options
 * @returns {Promise<Operation>}
 */
export async function start({ action, preview: id }, options) {
  return (await post('/api/operations', { action, preview: id, ...options })).operation;
}

/**
 * @param {string} id
 * @returns {Promise<{operation: Operation, outcome: Record<string, number>, problems: any[]}>}
 */
export function read(id) {
  return get(`/api/operations/${encodeURIComponent(id)}`);
}

/** @param {string} id */
export function stop(id) {
  return post(`/api/operations/${encodeURIComponent(id)}/cancel`);
}
