// @ts-check
/** One task: where it is, why it waits, what happened to it, what it carries, and the same from a terminal. */

import { startKeys } from './keys.js';
import { poll } from './net/poll.js';
import { startTheme } from './theme.js';
import { byId, count, el, foreignText, setText } from './ui/dom.js';
import { commandLine } from './ui/dialog.js';
import { icon } from './ui/icons.js';
import { cell, headerCell, tableRegion } from './ui/rows.js';
import { laneName, statusBadge } from './ui/tasks.js';
import { absolute, duration, isTime, relativeTime, setRelativeTime, startTicking } from './ui/time.js';

/** @typedef {import('./ui/tasks.js').Task} Task */

const PERIOD_MS = 1000;
const JSON_MAX = 20_000;

/** @type {Map<string, {word: string, symbol: string, tone: string}>} */
const EVENTS = new Map([
  ['queued', { word: 'Queued', symbol: 'queued', tone: 'idle' }],
  ['assigned', { word: 'Given to', symbol: 'assigned', tone: 'info' }],
  ['completed', { word: 'Completed', symbol: 'ok', tone: 'ok' }],
  ['failed', { word: 'Failed', symbol: 'warning', tone: 'warning' }],
  ['reclaimed', { word: 'Taken back', symbol: 'retry', tone: 'warning' }],
  ['dead_letter', { word: 'Became a dead letter', symbol: 'critical', tone: 'critical' }],
  ['cancelled', { word: 'Cancelled', symbol: 'cancelled', tone: 'idle' }],
]);

startKeys(byId('tools'), startTheme(byId('tools')));
startTicking();
const taskId = decodeURIComponent(location.pathname.split('/').pop() ?? '');
const address = `/api/dashboard/tasks/${encodeURIComponent(taskId)}`;

/** What is drawn already: parts that did not change are left alone, so that a selection in them survives. */
const drawn = new Map();

poll({ path: () => address, periodMs: PERIOD_MS, draw, refused });

/** @param {{task: Task, explanation: any}} answer */
function draw({ task, explanation }) {
  document.title = `${foreignText(task.description, 60)} · AgentCom`;
  part('head', [task.status, task.description], () => drawHead(task));
  part('why', explanation, () => drawWhy(task, explanation));
  part('history', task.history, () => drawHistory(task.history ?? []));
  part('facts', [task.updated_at, task.status, task.generation], () => drawFacts(task));
  part('payload', [task.metadata, task.result, task.last_error], () => drawPayload(task));
  part('commands', task.status, () => drawCommands(task));
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {() => void} change
 */
function part(name, value, change) {
  const key = JSON.stringify(value);
  if (drawn.get(name) === key) return;
  drawn.set(name, key);
  change();
}

/**
 * @param {number} status
 * @param {any} body
 */
function refused(status, body) {
  if (status !== 404) return false;
  drawn.clear();
  const words = body?.error === 'task_not_found' ? 'There is no such task. It may have been pruned.' : 'There is no such page.';
  byId('head').replaceChildren(el('h2', {}, words), el('a', { href: '/tasks' }, 'All tasks'));
  for (const panel of byId('content').querySelectorAll('.panel')) panel.setAttribute('hidden', '');
  return true;
}

/** @param {Task} task */
function drawHead(task) {
  for (const panel of byId('content').querySelectorAll('.panel')) if (panel.id !== 'why') panel.removeAttribute('hidden');
  const badge = statusBadge();
  badge.update(task.status);
  byId('head').replaceChildren(
    el('h2', {}, el('bdi', { 'data-testid': 'task-title' }, foreignText(task.description, 2000))),
    badge.node,
    el('code', { class: 'quiet' }, task.id),
  );
}

/**
 * @param {Task} task
 * @param {any} explanation
 */
function drawWhy(task, explanation) {
  byId('why').hidden = task.status !== 'queued' && task.status !== 'assigned';
  const parts = [el('p', { class: 'sentence', 'data-testid': 'why' }, foreignText(explanation.sentence, 1000))];
  if (explanation.next_step) parts.push(el('p', { class: 'quiet' }, foreignText(explanation.next_step, 1000)));
  if (explanation.agents.length > 0) parts.push(candidates(explanation.agents));
  byId('explanation').replaceChildren(...parts);
}

/** @param {{agent_id: string, state: string, missing: string[], free: number, slots: number, may_have_it: boolean}[]} agents */
function candidates(agents) {
  const { region, list } = tableRegion('What every agent says to it', [
    { text: 'Agent', className: 'col-owner' },
    { text: 'State', className: 'col-status' },
    { text: 'Free slots', className: 'col-tries', number: true },
    { text: 'Lacks', className: 'col-what' },
  ]);
  for (const agent of agents) {
    list.append(
      el(
        'tr',
        { role: 'row' },
        headerCell('Agent', el('bdi', { class: agent.may_have_it ? 'strong' : 'quiet' }, foreignText(agent.agent_id))),
        cell('State', {}, foreignText(agent.state, 40)),
        cell('Free slots', { class: 'number' }, `${count(agent.free)} of ${count(agent.slots)}`),
        cell('Lacks', {}, foreignText(agent.missing.join(', ')) || (agent.may_have_it ? 'nothing' : 'the task is for another agent')),
      ),
    );
  }
  return region;
}

/** @param {{event: string, timestamp: number, details: any}[]} entries newest first */
function drawHistory(entries) {
  byId('history').replaceChildren(
    ...entries.map((entry) => {
      const look = EVENTS.get(entry.event) ?? { word: entry.event.replaceAll('_', ' '), symbol: 'dot', tone: 'idle' };
      const when = relativeTime('ago');
      setRelativeTime(when, entry.timestamp);
      const what = el('div', {}, el('span', { class: 'strong' }, foreignText(look.word, 60)), ' ', el('bdi', {}, detailsOf(entry)));
      const symbol = el('span', { class: `tone-${look.tone}` }, icon(look.symbol));
      return el('li', {}, when, symbol, what);
    }),
  );
}

/** @param {{event: string, details: any}} entry */
function detailsOf({ event, details }) {
  if (details === null || details === undefined) return '';
  if (typeof details !== 'object') return foreignText(String(details).replaceAll('_', ' '));
  if (event === 'assigned') return `${foreignText(details.agent_id)} (attempt ${count(details.generation)})`;
  const words = Object.entries(details).map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  return foreignText(words.join(', '));
}

/** @param {Task} task */
function drawFacts(task) {
  const took = isTime(task.completed_at) && isTime(task.assigned_at) ? duration(task.completed_at - task.assigned_at) : null;
  /** @type {[string, unknown][]} */
  const facts = [
    ['Lane', laneName(task.priority)],
    ['Agent', task.assigned_to],
    ['Needs', (task.needed_capabilities ?? []).join(', ')],
    ['Only for', task.assign_to],
    ['Attempt', task.generation],
    ['Retries', `${count(task.retry_count)} of ${count(task.max_retries)}`],
    ['Taken back', task.reclaim_count ? count(task.reclaim_count) : null],
    ['Last attempt took', took],
    ['Tokens', task.tokens_used ? count(task.tokens_used) : null],
    ['Submitted by', task.submitted_by],
    ['Submitted', isTime(task.created_at) ? absolute(task.created_at) : null],
    ['Changed', isTime(task.updated_at) ? absolute(task.updated_at) : null],
    ['Complete by', isTime(task.complete_by) ? absolute(task.complete_by) : null],
  ];
  byId('facts').replaceChildren(
    ...facts.flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [el('dt', {}, name), el('dd', {}, el('bdi', {}, foreignText(value)))])),
  );
}

/** @param {Task} task */
function drawPayload(task) {
  const parts = [];
  if (task.last_error) parts.push(block('Last error', foreignText(task.last_error, JSON_MAX)));
  parts.push(block('Metadata', asJson(task.metadata)));
  parts.push(block('Result', task.status === 'completed' ? asJson(task.result) : 'None yet.'));
  byId('payload').replaceChildren(...parts);
}

/**
 * @param {string} title
 * @param {string} text
 */
function block(title, text) {
  return el('div', {}, el('h3', { class: 'json-title' }, title), el('pre', { class: 'json', tabindex: 0, role: 'region', 'aria-label': title }, text));
}

/** @param {unknown} value */
function asJson(value) {
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return text.length > JSON_MAX ? `${text.slice(0, JSON_MAX)}\n… ${count(text.length - JSON_MAX)} more characters in ${address}` : text;
}

/** @param {Task} task */
function drawCommands(task) {
  const lines = [`agentcom task show ${task.id}`];
  if (task.status === 'queued') lines.push(`agentcom task explain ${task.id}`);
  if (task.status === 'queued' || task.status === 'assigned') lines.push(`agentcom task wait ${task.id}`, `agentcom task cancel ${task.id}`);
  if (task.status === 'dead_letter') lines.push(`agentcom task retry ${task.id}`);
  lines.push(`curl ${location.origin}${address}`);
  byId('commands').replaceChildren(...lines.map(commandLine));
}
