// @ts-check
/** Rules of the store without state: how what the hub says becomes what the page shows. */

import { hubNow } from '../ui/clock.js';

const OFFLINE_SHOWN_MS = 24 * 3600 * 1000;

/**
 * What the hub says of an agent is kept whole: `raw` has the fields that only some pages know.
 * @typedef {{agent_id: string, name: string, fsm_state: string, current_task_id: string | null, capabilities: string[],
 *   connected_at: number | null, last_state_change: number | null, flags: string[], raw: any}} Agent
 * @typedef {{id: string, severity: string, message: string, since: number | null, [field: string]: any}} Condition
 * @typedef {{key: string, type: string, event: string, task_id: string, agent_id: string, name: string, status: string,
 *   clean: boolean, progress: number | null, missed: number, timestamp: number}} Entry
 */

let unnumbered = 0;

/**
 * @param {any} raw
 * @param {Agent} [known] what is known of it already: snapshots do not repeat everything
 * @returns {Agent}
 */
export function agentOf(raw, known) {
  return {
    agent_id: String(raw.agent_id),
    name: String(raw.name ?? known?.name ?? raw.agent_id),
    fsm_state: String(raw.fsm_state ?? 'idle'),
    current_task_id: raw.current_task_id ?? null,
    capabilities: (raw.capabilities ?? []).map((/** @type {any} */ one) => String(one?.name ?? one)),
    connected_at: raw.connected_at ?? raw.timestamp ?? null,
    last_state_change: raw.last_state_change ?? raw.timestamp ?? null,
    flags: raw.flags ?? known?.flags ?? [],
    raw: { ...known?.raw, ...raw, raw: undefined },
  };
}

/**
 * An agent's state as people see it: a connected one that does not answer is `unresponsive`, one that gets no work says why.
 * @param {Agent} agent
 */
export function stateOf(agent) {
  if (agent.fsm_state !== 'offline' && agent.flags.includes('unresponsive')) return 'unresponsive';
  const mode = agent.raw?.mode ?? 'active';
  return mode !== 'active' && agent.fsm_state !== 'offline' ? mode : agent.fsm_state;
}

/**
 * @param {any} health
 * @returns {Condition[]} the worst first
 */
export function conditionsOf(health) {
  const severity = health?.status === 'critical' ? 'critical' : 'warning';
  /** @type {Condition[]} */
  const found = Array.isArray(health?.details)
    ? health.details
    : (health?.conditions ?? []).map((/** @type {string} */ message) => ({ id: message, severity, message, since: null }));
  return [...found].sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'));
}

/**
 * @param {any} event
 * @param {string} boot
 * @param {string} name of its agent
 * @returns {Entry}
 */
export function entryOf(event, boot, name) {
  return {
    key: `${boot}-${event.seq ?? `unnumbered-${(unnumbered += 1)}`}`,
    type: String(event.type),
    event: String(event.event ?? ''),
    task_id: String(event.task_id ?? ''),
    agent_id: String(event.agent_id ?? ''),
    name,
    status: String(event.fsm_state ?? event.mode ?? event.status ?? ''),
    clean: event.clean === true,
    progress: typeof event.progress === 'number' ? event.progress : null,
    missed: Number(event.missed ?? 0),
    timestamp: event.timestamp ?? Math.round(hubNow()),
  };
}

/**
 * What was read of the time before the page was opened, behind what it heard itself.
 * @param {Entry[]} known newest first
 * @param {Entry[]} read
 * @returns {Entry[]} newest first
 */
export function withPast(known, read) {
  const keys = new Set(known.map(({ key }) => key));
  return [...known, ...read.filter(({ key }) => !keys.has(key))].sort((a, b) => b.timestamp - a.timestamp);
}

/**
 * @param {Map<string, Agent>} departed changed: those that are gone for a day are forgotten
 * @returns {Agent[]}
 */
export function withoutLongGone(departed) {
  for (const [id, agent] of departed) {
    if (hubNow() - Number(agent.last_state_change) > OFFLINE_SHOWN_MS) departed.delete(id);
  }
  return [...departed.values()];
}

/**
 * `after`, but with every part that equals the same part of `before` being that one, so that who shows it has nothing to do.
 * @template T
 * @param {any} before
 * @param {T} after
 * @returns {T}
 */
export function keepEqual(before, after) {
  if (before === after || typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return after;
  if (Array.isArray(before) !== Array.isArray(after)) return after;
  /** @type {any} */
  const merged = Array.isArray(after) ? [] : {};
  const names = Object.keys(after);
  let isEqual = names.length === Object.keys(before).length;
  for (const name of names) {
    merged[name] = keepEqual(before[name], /** @type {any} */ (after)[name]);
    isEqual &&= merged[name] === before[name];
  }
  return isEqual ? before : merged;
}
