// @ts-check
/** The page of the supervision tree: asks once a second while somebody looks, and says so when there is no answer. */

import { startKeys } from './keys.js';
import { startTheme } from './theme.js';
import { byId, el, foreignText, setText } from './ui/dom.js';
import { announce } from './ui/toast.js';
import { treeView } from './views/tree.js';

const PERIOD_MS = 1000;
const TIMEOUT_MS = 4000;

const theme = startTheme(byId('tools'));
startKeys(byId('tools'), theme);
const show = treeView(byId('tree'));
const state = el('span', { class: 'chip', 'data-testid': 'tree-connection' }, 'Connecting…');
byId('connection').append(state);

/** @type {number | undefined} */
let timer;
document.addEventListener('visibilitychange', look);
look();

async function look() {
  clearTimeout(timer);
  if (document.hidden) {
    setText(state, 'Paused');
    return;
  }
  try {
    const answer = await fetch('/api/system/tree', { signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' });
    if (answer.ok) draw(await answer.json());
    else stale(answer.status === 503 ? 'The hub is restarting' : `The hub answered ${answer.status}`);
  } catch {
    stale('No connection');
  }
  timer = setTimeout(look, PERIOD_MS);
}

/** @param {any} tree */
function draw(tree) {
  byId('content').classList.remove('is-stale');
  setText(state, 'Live');
  state.dataset.state = 'live';
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

/** @param {string} why */
function stale(why) {
  byId('content').classList.add('is-stale');
  setText(state, `${why}. What is below is from before.`);
  state.dataset.state = 'stale';
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

let shown = '';

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
