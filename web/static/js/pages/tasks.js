// @ts-check
/**
 * Every task, filtered by the hub. The address holds the filters and the place, so that a view can be kept, sent and gone back
 * to. The page holds one page of rows, whatever the number of tasks.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { at, taskAddress } from '../base.js';
import { setQuery } from '../router.js';
import { useResource } from '../store/resource.js';
import { LANES, State, TASK_STATES, laneName } from '../ui/chip.js';
import { CommandLine } from '../ui/command_line.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { Ago } from '../ui/time.js';

const PAGE = 100;
const FILTERS = ['status', 'priority', 'assigned_to', 'capability'];
const TYPING_MS = 250;

/**
 * A task as `/api/dashboard/tasks` shows it.
 * @typedef {{id: string, status: string, description: string, priority: number, assigned_to: string | null, generation: number,
 *   retry_count: number, max_retries: number, created_at: number, updated_at: number, [field: string]: any}} Task
 */

const COLUMNS = [
  { id: 'what', text: 'Task' },
  { id: 'status', text: 'State' },
  { id: 'lane', text: 'Lane' },
  { id: 'owner', text: 'Agent' },
  { id: 'tries', text: 'Retries', number: true },
  { id: 'updated', text: 'Changed', number: true },
];

/** @type {Task[]} */
const NONE = [];

/** @param {{query: URLSearchParams}} props */
export function Tasks({ query }) {
  const path = pathOf(query);
  const { data, problem, path: answered, isLoading } = useResource(path);
  const isRefused = problem?.status === 422;
  const tasks = /** @type {Task[]} */ (isRefused ? NONE : (data?.tasks ?? NONE));
  const held = useHeld(tasks, (task) => task.id, answered);
  const next = isRefused ? null : data?.next_cursor;
  const shown = data && !isRefused ? `${count(tasks.length)} shown${next ? ', more on the next page' : ''}` : '';
  return html`
    <${Filters} query=${query} />
    ${problem && !isRefused && html`<p class="banner tone-warning" role="status">${problem.detail}</p>`}
    <${Panel} title="Tasks" area="tasks" aside=${html`<span class="count" role="status">${shown}</span><${Newer} held=${held} noun="tasks" />`}>
      ${isRefused
        ? html`<${NotUnderstood} problem=${problem} />`
        : isLoading && !data
          ? html`<${Skeleton} rows=${8} />`
          : held.rows.length === 0
            ? html`<${NoTasks} isFiltered=${FILTERS.some((name) => query.get(name))} />`
            : html`<${Table} label="Tasks" columns=${COLUMNS} held=${held} row=${taskRow} />`}
    <//>
    <nav class="pager" aria-label="Pages of the list">
      ${query.has('cursor') && html`<button type="button" onClick=${() => move(query, null)}>First page</button>`}
      ${next && html`<button type="button" data-testid="next-page" onClick=${() => move(query, next)}>Next page</button>`}
    </nav>
  `;
}

/** @param {URLSearchParams} query */
function pathOf(query) {
  const wanted = new URLSearchParams({ limit: String(PAGE) });
  for (const name of [...FILTERS, 'cursor']) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  return `/api/dashboard/tasks?${wanted}`;
}

/**
 * @param {URLSearchParams} query
 * @param {string | null} cursor
 */
function move(query, cursor) {
  const wanted = new URLSearchParams(query);
  if (cursor) wanted.set('cursor', cursor);
  else wanted.delete('cursor');
  setQuery(wanted);
}

/** @param {{query: URLSearchParams}} props */
function Filters({ query }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const [timer, setTimer] = useState(0);
  const address = query.toString();
  useEffect(() => {
    for (const name of FILTERS) {
      const field = form.current?.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = query.get(name) ?? '';
    }
  }, [address]);
  const filter = () => {
    if (!form.current) return;
    const given = [...new FormData(form.current)].map(([name, value]) => [name, String(value).trim()]);
    const wanted = new URLSearchParams(given.filter(([, value]) => value));
    if (wanted.toString() !== address) setQuery(wanted);
  };
  const later = () => {
    clearTimeout(timer);
    setTimer(setTimeout(filter, TYPING_MS));
  };
  const submitted = (/** @type {Event} */ event) => {
    event.preventDefault();
    filter();
  };
  return html`
    <form class="filters" aria-label="Filters" role="search" ref=${form} onSubmit=${submitted}>
      <label>State<select name="status" onChange=${filter}>
        <option value="">Any state</option>
        ${[...TASK_STATES].map(([value, { word }]) => html`<option value=${value}>${word}</option>`)}
      </select></label>
      <label>Lane<select name="priority" onChange=${filter}>
        <option value="">Any lane</option>
        ${LANES.map((lane) => html`<option value=${lane}>${lane}</option>`)}
      </select></label>
      <label>Agent<input name="assigned_to" type="search" autocomplete="off" spellcheck=${false} onInput=${later} /></label>
      <label>Needs capability<input name="capability" type="search" autocomplete="off" spellcheck=${false} onInput=${later} /></label>
    </form>
  `;
}

/** @param {{problem: import('../net/api.js').Problem}} props */
function NotUnderstood({ problem }) {
  const faults = problem.errors.map(({ field, detail, error }) => `${field} ${detail ?? error}`).join('; ');
  return html`<${Empty} title="The hub does not understand this filter." testid="empty-tasks"><p>${foreignText(faults)}</p><//>`;
}

/** @param {{isFiltered: boolean}} props */
function NoTasks({ isFiltered }) {
  if (isFiltered) return html`<${Empty} title="No task matches these filters." testid="empty-tasks"><p><a href=${at('/tasks')}>Clear the filters</a></p><//>`;
  return html`<${Empty} title="There are no tasks yet." testid="empty-tasks"><p>Submit one:</p><${CommandLine} line='agentcom task submit "Say hello"' /><//>`;
}

/** @param {Task} task */
function taskRow(task) {
  return {
    attributes: { 'data-testid': 'task-row', 'data-task-id': task.id },
    cells: [
      html`<a class="clamp" href=${taskAddress(task.id)}>${foreignText(task.description) || shortId(task.id)}</a><code class="quiet small">${task.id}</code>`,
      html`<${State} looks=${TASK_STATES} state=${task.status} />`,
      html`<span class=${`lane-${laneName(task.priority)}`}>${laneName(task.priority)}</span>`,
      html`<bdi class="clamp">${foreignText(task.assigned_to) || '–'}</bdi>`,
      `${count(task.retry_count)} of ${count(task.max_retries)}`,
      html`<${Ago} at=${task.updated_at} prefix="Changed" />`,
    ],
  };
}
