// @ts-check
/** How each series looks and is called: the same colour and dash for the same thing in every chart. */

import { duration } from './time.js';

/**
 * @typedef {object} Look
 * @property {string} word
 * @property {string} tone a tone of the style sheet
 * @property {number[]} dash lengths of strokes and gaps in pixels; none: a solid line
 *
 * @typedef {(value: number | null | undefined) => string} Format
 */

const SOLID = /** @type {number[]} */ ([]);
const LONG = [12, 3];
const DASHED = [7, 4];
const DOTTED = [2, 3];

/** @type {Record<string, Look>} */
const LOOKS = {
  submitted_per_min: { word: 'Submitted', tone: 'info', dash: LONG },
  completed_per_min: { word: 'Done', tone: 'ok', dash: SOLID },
  failed_per_min: { word: 'Failed', tone: 'warning', dash: DASHED },
  dead_per_min: { word: 'Given up', tone: 'critical', dash: DOTTED },
  tokens_per_min: { word: 'Tokens', tone: 'retry', dash: SOLID },
  queued: { word: 'Queued', tone: 'idle', dash: SOLID },
  queued_max: { word: 'Queued, most', tone: 'idle', dash: DOTTED },
  working: { word: 'Working', tone: 'info', dash: DASHED },
  agents_online: { word: 'Agents online', tone: 'ok', dash: DASHED },
  dead_letters: { word: 'Dead letters', tone: 'critical', dash: SOLID },
  wait_p50_ms: { word: 'p50', tone: 'ok', dash: SOLID },
  wait_p95_ms: { word: 'p95', tone: 'warning', dash: DASHED },
  wait_p99_ms: { word: 'p99', tone: 'critical', dash: DOTTED },
  run_p50_ms: { word: 'p50', tone: 'ok', dash: SOLID },
  run_p95_ms: { word: 'p95', tone: 'warning', dash: DASHED },
  run_p99_ms: { word: 'p99', tone: 'critical', dash: DOTTED },
};

/**
 * @param {string} name of a series of `GET /api/dashboard/trends`
 * @returns {Look}
 */
export function lookOf(name) {
  return LOOKS[name] ?? { word: name, tone: 'muted', dash: SOLID };
}

/** @type {Format} */
export function asNumber(value) {
  if (typeof value !== 'number') return '–';
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

/** @type {Format} */
export function asDuration(value) {
  return duration(value);
}
