// @ts-check
/**
 * Notices from an open page, where the hub does not push: what its snapshots say is compared with what was told. While the tab is
 * hidden its connection sleeps, so the hub is asked now and then.
 */

import { effect } from '@preact/signals';
import { get } from '../net/api.js';
import { snapshot } from './hub.js';
import { isOn, pushId, show } from './notifications.js';
import { conditionsOf } from './picture.js';

const HIDDEN_LOOK_MS = 10000;

/** Least time between two notices about dead letters: more are told together. */
const DEAD_GAP_MS = 60000;

/** Told by their number instead. */
const NEW_DEAD_LETTERS = 'dead_letters_new';

/** @type {Map<string, string> | null} id -> severity of the conditions that are known; null before the first look */
let known = null;
/** @type {number | null} */
let dead = null;
let deadAt = -Infinity;

export function watchFromHere() {
  effect(() => look(snapshot.value));
  setInterval(() => {
    if (document.hidden && isTelling()) get('/api/dashboard/state').then(look).catch(() => undefined);
  }, HIDDEN_LOOK_MS);
}

function isTelling() {
  return isOn.peek() && pushId.peek() === '';
}

/** @param {any} found a snapshot */
function look(found) {
  if (!found) return;
  lookAtHealth(found.health);
  lookAtDeadLetters(Number(found.dead_letter_total ?? 0));
}

/** @param {any} health */
function lookAtHealth(health) {
  const found = conditionsOf(health).filter(({ id }) => id !== NEW_DEAD_LETTERS);
  const worse = known === null ? [] : found.filter(({ id, severity }) => isGraver(severity, known?.get(id)));
  const isOver = known !== null && known.size > 0 && found.length === 0;
  known = new Map(found.map(({ id, severity }) => [id, severity]));
  if (!isTelling()) return;
  for (const { id, severity, message } of worse) {
    if (id === 'agent_offline') void show('agent.offline', 'Agent offline', message, '/agents');
    else void show('health.worse', `Health: ${severity}`, message, '/dashboard');
  }
  if (isOver) void show('health.recovered', 'Health is ok again', 'No condition is left.', '/dashboard');
}

/**
 * @param {string} now
 * @param {string | undefined} before
 */
function isGraver(now, before) {
  return before === undefined || (now === 'critical' && before !== 'critical');
}

/** @param {number} total */
function lookAtDeadLetters(total) {
  const more = dead === null ? 0 : total - dead;
  if (more > 0 && performance.now() - deadAt < DEAD_GAP_MS) return;
  dead = total;
  if (more <= 0 || !isTelling()) return;
  deadAt = performance.now();
  void show('dead_letters.new', more === 1 ? 'A task was given up' : `${more} tasks were given up`, 'It is in the dead letters.', '/dead');
}
