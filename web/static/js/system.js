// @ts-check
/** The page of the supervision tree. */

import { startKeys } from './keys.js';
import { poll } from './net/poll.js';
import { startTheme } from './theme.js';
import { byId, el, foreignText } from './ui/dom.js';
import { announce } from './ui/toast.js';
import { treeView } from './views/tree.js';

const PERIOD_MS = 1000;

const theme = startTheme(byId('tools'));
startKeys(byId('tools'), theme);
const show = treeView(byId('tree'));
let shown = '';
poll({ path: () => '/api/system/tree', periodMs: PERIOD_MS, draw });

/** @param {any} tree */
function draw(tree) {
  const restarted = show(withProcesses(tree));
  if (restarted.length) announce(`Started again: ${restarted.slice(0, 5).join(', ')}.`);
  drawAlarms(Array.isArray(tree.alarms) ? tree.alarms : []);
  drawEvents(Array.isArray(tree.events) ? tree.events : []);
}

/**
 * The tree of processes with the hub's actors under the hub; those alone when nobody knows the processes.
 *
 * @param {any} tree
 * @returns {any}
 */
function withProcesses(tree) {
  const root = tree.processes;
  if (!root) return tree;
  const children = root.children.map((/** @type {any} */ child) => (child.id === 'hub' ? { ...child, children: [tree] } : child));
  return { ...root, children };
}

/** @param {{id: string, subject: string, message: string}[]} alarms */
function drawAlarms(alarms) {
  const slot = byId('alarms');
  slot.hidden = alarms.length === 0;
  const lines = alarms.map((alarm) =>
    el('p', {}, el('strong', {}, foreignText(alarm.id)), ` ${foreignText(alarm.subject)}: ${foreignText(alarm.message)}`)
  );
  slot.replaceChildren(...lines);
}

/** @param {{at: number, supervisor: string, kind: string, child: string, reason: string}[]} events */
function drawEvents(events) {
  const key = JSON.stringify(events.at(-1) ?? null) + events.length;
  if (key === shown) return;
  shown = key;
  const lines = [...events].reverse().map((event) =>
    el(
      'li',
      {},
      el('time', { datetime: new Date(event.at).toISOString() }, new Date(event.at).toLocaleTimeString('en-GB')),
      el('strong', {}, foreignText(event.child, 80)),
      el('span', {}, `${foreignText(event.kind, 40).replaceAll('_', ' ')}: ${foreignText(event.reason, 200)}`)
    )
  );
  byId('events').replaceChildren(...lines);
}
