// @ts-check
/** How a state looks: a shape, a word and a colour, never a colour alone. */

import { html } from './html.js';
import { Icon } from './icons.js';
import { foreignText } from './text.js';

/** @typedef {{word: string, symbol: string, tone: string}} Look */

/** @type {Map<string, Look>} */
export const TASK_STATES = new Map([
  ['queued', { word: 'Queued', symbol: 'queued', tone: 'idle' }],
  ['assigned', { word: 'Working', symbol: 'working', tone: 'info' }],
  ['completed', { word: 'Completed', symbol: 'ok', tone: 'ok' }],
  ['dead_letter', { word: 'Dead letter', symbol: 'critical', tone: 'critical' }],
  ['cancelled', { word: 'Cancelled', symbol: 'cancelled', tone: 'idle' }],
]);

/**
 * In the order of need.
 * @type {Map<string, Look>}
 */
export const AGENT_STATES = new Map([
  ['blocked', { word: 'Blocked', symbol: 'blocked', tone: 'warning' }],
  ['unresponsive', { word: 'Unresponsive', symbol: 'warning', tone: 'warning' }],
  ['stuck', { word: 'Stuck', symbol: 'warning', tone: 'warning' }],
  ['lost', { word: 'Lost', symbol: 'offline', tone: 'critical' }],
  ['offline', { word: 'Offline', symbol: 'offline', tone: 'critical' }],
  ['working', { word: 'Working', symbol: 'working', tone: 'info' }],
  ['assigned', { word: 'Assigned', symbol: 'assigned', tone: 'info' }],
  ['idle', { word: 'Idle', symbol: 'idle', tone: 'idle' }],
  ['draining', { word: 'Draining', symbol: 'wait', tone: 'retry' }],
  ['paused', { word: 'Paused', symbol: 'paused', tone: 'idle' }],
  ['drained', { word: 'Drained', symbol: 'left', tone: 'idle' }],
  ['left', { word: 'Left', symbol: 'left', tone: 'muted' }],
]);

/** @type {Map<string, Look>} */
export const SEVERITIES = new Map([
  ['ok', { word: 'OK', symbol: 'ok', tone: 'ok' }],
  ['warning', { word: 'Warning', symbol: 'warning', tone: 'warning' }],
  ['critical', { word: 'Critical', symbol: 'critical', tone: 'critical' }],
]);

export const LANES = ['urgent', 'high', 'normal', 'low'];

/** @param {{looks: Map<string, Look>, state: string}} props a state that is not in `looks` is shown by its name */
export function State({ looks, state }) {
  const look = looks.get(state) ?? { word: foreignText(state, 40) || 'Unknown', symbol: 'unknown', tone: 'idle' };
  return html`<span class=${`state tone-${look.tone}`}><${Icon} name=${look.symbol} /><span>${look.word}</span></span>`;
}

/** @param {unknown} priority 0 to 3 */
export function laneName(priority) {
  return LANES[Number(priority)] ?? String(priority);
}
