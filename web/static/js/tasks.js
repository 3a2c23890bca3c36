// @ts-check
/**
 * Every task, filtered by the hub. The address holds the filters and the place, so that a view can be kept, sent and gone back
 * to. The page holds one page of rows, whatever the number of tasks.
 */

import { startKeys } from './keys.js';
import { poll } from './net/poll.js';
import { startTheme } from './theme.js';
import { byId, count, el, foreignText, setAttribute, setText, shortId } from './ui/dom.js';
import { HeldRows, cell, headerCell, tableRegion } from './ui/rows.js';
import { LANES, STATUSES, laneName, statusBadge, taskAddress } from './ui/tasks.js';
import { relativeTime, setRelativeTime, startTicking } from './ui/time.js';

/** @typedef {import('./ui/tasks.js').Task} Task */

const PERIOD_MS = 1000;
const PAGE = 100;
const FILTERS = ['status', 'priority', 'assigned_to', 'capability'];
const TYPING_MS = 250;

startKeys(byId('tools'), startTheme(byId('tools')));
startTicking();

const { region, list } = tableRegion('Tasks', [
  { text: 'Task', className: 'col-what' },
  { text: 'State', className: 'col-status' },
  { text: 'Lane', className: 'col-lane' },
  { text: 'Agent', className: 'col-owner' },
  { text: 'Retries', className: 'col-tries', number: true },
  { text: 'Changed', className: 'col-updated' },
]);
const empty = el('div', { class: 'empty', hidden: true, 'data-testid': 'empty-tasks' });
byId('tasks').append(empty, region);
const head = /** @type {HTMLElement} */ (byId('tasks').previousElementSibling);
const rows = new HeldRows({ region, list, head, empty, noun: 'tasks', key: (/** @type {Task} */ task) => task.id, build: taskRow });

/** @type {string | null} */
let nextCursor = null;
const fields = filterFields();
const first = el('button', { type: 'button' }, 'First page');
const next = el('button', { type: 'button', 'data-testid': 'next-page' }, 'Next page');
byId('pager').append(first, next);
first.addEventListener('click', () => go(null));
next.addEventListener('click', () => {
  if (nextCursor) go(nextCursor);
});
window.addEventListener('popstate', () => {
  fill();
  asking.now();
});
fill();
const asking = poll({ path, periodMs: PERIOD_MS, draw, refused });

function query() {
  return new URLSearchParams(location.search);
}

function path() {
  const wanted = new URLSearchParams({ limit: String(PAGE) });
  for (const name of [...FILTERS, 'cursor']) {
    const value = query().get(name);
    if (value) wanted.set(name, value);
  }
  return `/api/dashboard/tasks?${wanted}`;
}

/** @param {{tasks: Task[], next_cursor: string | null}} answer */
function draw(answer) {
  nextCursor = answer.next_cursor;
  explainEmptiness();
  rows.set(answer.tasks, true);
  const more = nextCursor ? ', more on the next page' : '';
  setText(byId('shown'), `${count(answer.tasks.length)} shown${more}`);
  next.hidden = !nextCursor;
  first.hidden = !query().has('cursor');
}

/**
 * A filter that the hub does not understand is said, and nothing is listed.
 * @param {number} status
 * @param {any} body
 */
function refused(status, body) {
  if (status !== 422) return false;
  const faults = (body?.errors ?? []).map((/** @type {any} */ fault) => `${fault.field} ${fault.message}`);
  nextCursor = null;
  empty.replaceChildren(el('strong', {}, 'The hub does not understand this filter.'), el('p', {}, foreignText(faults.join('; '))));
  rows.set([], true);
  setText(byId('shown'), '');
  return true;
}

function explainEmptiness() {
  if (FILTERS.some((name) => query().get(name))) {
    const clear = el('a', { href: '/tasks' }, 'Clear the filters');
    empty.replaceChildren(el('strong', {}, 'No task matches these filters.'), el('p', {}, clear));
  } else {
    empty.replaceChildren(el('strong', {}, 'There are no tasks yet.'), el('p', {}, 'Submit one:  agentcom task submit "Say hello"'));
  }
}

/** @param {string | null} cursor */
function go(cursor) {
  const wanted = query();
  if (cursor) wanted.set('cursor', cursor);
  else wanted.delete('cursor');
  move(wanted);
  region.scrollTop = 0;
}

/** @param {URLSearchParams} wanted */
function move(wanted) {
  const words = wanted.toString();
  history.pushState(null, '', words ? `?${words}` : location.pathname);
  asking.now();
}

function filterFields() {
  const states = [...STATUSES].map(([value, look]) => ({ value, word: look.word }));
  const lanes = LANES.map((value) => ({ value, word: value[0]?.toUpperCase() + value.slice(1) }));
  const made = {
    status: choice('State', states),
    priority: choice('Lane', lanes),
    assigned_to: el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' }),
    capability: el('input', { type: 'search', autocomplete: 'off', spellcheck: 'false' }),
  };
  const labels = { status: 'State', priority: 'Lane', assigned_to: 'Agent', capability: 'Needs capability' };
  let timer = 0;
  for (const [name, field] of Object.entries(made)) {
    field.name = name;
    byId('filters').append(el('label', {}, labels[/** @type {keyof typeof labels} */ (name)], field));
    const isChoice = field instanceof HTMLSelectElement;
    field.addEventListener(isChoice ? 'change' : 'input', () => {
      clearTimeout(timer);
      timer = setTimeout(filter, isChoice ? 0 : TYPING_MS);
    });
  }
  byId('filters').addEventListener('submit', (event) => {
    event.preventDefault();
    filter();
  });
  return made;
}

/**
 * @param {string} label
 * @param {{value: string, word: string}[]} choices
 */
function choice(label, choices) {
  const any = el('option', { value: '' }, `Any ${label.toLowerCase()}`);
  return el('select', {}, any, ...choices.map(({ value, word }) => el('option', { value }, word)));
}

function filter() {
  const wanted = new URLSearchParams();
  for (const [name, field] of Object.entries(fields)) if (field.value.trim()) wanted.set(name, field.value.trim());
  if (wanted.toString() !== query().toString()) move(wanted);
}

/** The fields say what the address says. */
function fill() {
  for (const [name, field] of Object.entries(fields)) field.value = query().get(name) ?? '';
}

function taskRow() {
  const link = el('a', { class: 'clamp' });
  const id = el('code', { class: 'quiet small' });
  const badge = statusBadge();
  const lane = el('span');
  const agent = el('bdi', { class: 'clamp' });
  const tries = el('span');
  const updated = relativeTime('ago');
  const node = el(
    'tr',
    { role: 'row', 'data-testid': 'task-row' },
    headerCell('Task', link, id),
    cell('State', {}, badge.node),
    cell('Lane', {}, lane),
    cell('Agent', {}, agent),
    cell('Retries', { class: 'number' }, tries),
    cell('Changed', { class: 'time' }, updated),
  );
  return {
    node,
    update: (/** @type {Task} */ task) => {
      setAttribute(node, 'data-task-id', task.id);
      setAttribute(link, 'href', taskAddress(task.id));
      setText(link, foreignText(task.description) || shortId(task.id));
      setText(id, task.id);
      badge.update(task.status);
      setText(lane, laneName(task.priority));
      setAttribute(lane, 'class', `lane-${laneName(task.priority)}`);
      setText(agent, foreignText(task.assigned_to) || '–');
      setText(tries, `${count(task.retry_count)} of ${count(task.max_retries)}`);
      setRelativeTime(updated, task.updated_at, 'Changed');
    },
  };
}
