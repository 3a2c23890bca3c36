// @ts-check
/**
 * Every agent that the hub knows, those first that need somebody. The hub puts them in order and counts them by state, so that ten
 * thousand are as quick to look through as ten; the address holds the filter and the place.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { agentAddress, at, taskAddress } from '../base.js';
import { JoinAgent } from '../panels/join_agent.js';
import { setQuery } from '../router.js';
import { useResource } from '../store/resource.js';
import { AGENT_STATES, State } from '../ui/chip.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, plural, share, shortId } from '../ui/text.js';
import { For, duration, roughly } from '../ui/time.js';

/**
 * An agent as `/api/dashboard/agents` shows it.
 * @typedef {{agent_id: string, name: string, state: string, fsm_state: string, mode: string, since: number | null, slots: number,
 *   slots_used: number, current: {task_id: string, description: string, progress: number | null} | null, heartbeat_ms: number | null,
 *   done_hour: number, failed_hour: number, p50_ms: number | null, p95_ms: number | null, utilisation: number | null,
 *   capabilities: string[], connected_at: number | null, flags: string[], [field: string]: any}} FleetAgent
 */

const PAGE = 100;
const TYPING_MS = 250;
const NAME_MAX = 60;

const COLUMNS = [
  { id: 'agent', text: 'Agent' },
  { id: 'state', text: 'State' },
  { id: 'works', text: 'Works at' },
  { id: 'for', text: 'For' },
  { id: 'slots', text: 'Slots', number: true },
  { id: 'done', text: 'Done 1 h', number: true },
  { id: 'failed', text: 'Failed 1 h', number: true },
  { id: 'p50', text: 'Run p50', number: true },
  { id: 'p95', text: 'Run p95', number: true },
  { id: 'busy', text: 'Busy 1 h', number: true },
  { id: 'beat', text: 'Heartbeat', number: true },
];

/** @type {FleetAgent[]} */
const NONE = [];

/** @param {{query: URLSearchParams}} props */
export function Agents({ query }) {
  const { data, problem, path, isLoading, reload } = useResource(pathOf(query), { everyMs: 3000 });
  const [isAdding, setAdding] = useState(false);
  const agents = /** @type {FleetAgent[]} */ (data?.agents ?? NONE);
  const held = useHeld(agents, (agent) => agent.agent_id, path);
  const known = Object.values(data?.groups ?? {}).reduce((sum, number) => sum + Number(number), 0);
  const isFiltered = query.has('state') || query.has('q');
  const shown = data ? `${count(data.total)} of ${plural(known, 'agent')}` : '';
  const aside = html`<span class="count" role="status">${shown}</span><${Newer} held=${held} noun="agents" />`;
  return html`
    <div class="fleet-head">
      <${Groups} groups=${data?.groups ?? {}} query=${query} />
      <${Search} query=${query} />
      <button type="button" class="add" onClick=${() => setAdding(true)}>Add an agent</button>
    </div>
    ${problem && html`<p class="banner tone-warning" role="status">${problem.detail}</p>`}
    <${Panel} title="Agents" area="fleet" aside=${aside}>
      ${isLoading && !data
        ? html`<${Skeleton} rows=${8} />`
        : held.rows.length === 0
          ? html`<${Nobody} isFiltered=${isFiltered} onAdd=${() => setAdding(true)} />`
          : html`<${Table} name="fleet" label="Agents" columns=${COLUMNS} held=${held} row=${agentRow} />`}
    <//>
    <nav class="pager" aria-label="Pages of the list">
      ${query.has('cursor') && html`<button type="button" onClick=${() => change(query, { cursor: null })}>First page</button>`}
      ${data?.next_cursor && html`<button type="button" data-testid="next-page" onClick=${() => change(query, { cursor: data.next_cursor })}>Next page</button>`}
    </nav>
    ${isAdding && html`<${JoinAgent} onClose=${() => { setAdding(false); reload(); }} />`}
  `;
}

/** @param {URLSearchParams} query */
function pathOf(query) {
  const wanted = new URLSearchParams({ limit: String(PAGE) });
  for (const name of ['state', 'q', 'cursor']) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  return `/api/dashboard/agents?${wanted}`;
}

/**
 * @param {URLSearchParams} query
 * @param {Record<string, string | null>} changes null takes a part out
 */
function change(query, changes) {
  const wanted = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) wanted.set(name, value);
    else wanted.delete(name);
  }
  if (wanted.toString() !== query.toString()) setQuery(wanted);
}

/**
 * How many are in each state; pressed, the list shows these only.
 * @param {{groups: Record<string, number>, query: URLSearchParams}} props
 */
function Groups({ groups, query }) {
  const wanted = query.get('state');
  const states = [...AGENT_STATES.keys()].filter((state) => groups[state] || state === wanted);
  return html`
    <div class="fleet-groups" role="group" aria-label="States">
      ${states.map((state) => {
        const look = AGENT_STATES.get(state);
        const isOn = state === wanted;
        return html`
          <button key=${state} type="button" class="fleet-group" aria-pressed=${isOn} data-state=${state} onClick=${() => change(query, { state: isOn ? null : state, cursor: null })}>
            <${Icon} name=${look?.symbol ?? 'unknown'} tone=${look?.tone ?? 'idle'} /><span>${look?.word}</span> <span class="group-count">${count(groups[state] ?? 0)}</span>
          </button>
        `;
      })}
    </div>
  `;
}

/** @param {{query: URLSearchParams}} props */
function Search({ query }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(0);
  const words = query.get('q') ?? '';
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = words;
  }, [words]);
  const search = () => change(query, { q: field.current?.value.trim() ?? '', cursor: null });
  const later = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(search, TYPING_MS);
  };
  return html`
    <form role="search" class="fleet-search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); search(); }}>
      <input ref=${field} type="search" aria-label="Find agents by name or capability" placeholder="Name or capability" autocomplete="off" spellcheck=${false} maxlength="128" onInput=${later} />
    </form>
  `;
}

/** @param {FleetAgent} agent */
function agentRow(agent) {
  return {
    attributes: { 'data-testid': 'fleet-row', 'data-agent-id': agent.agent_id, 'data-state': agent.state },
    cells: [
      html`<a href=${agentAddress(agent.agent_id)}><bdi class="strong" title=${agent.agent_id}>${foreignText(agent.name, NAME_MAX)}</bdi></a>`,
      html`<${State} looks=${AGENT_STATES} state=${agent.state} />`,
      html`<${Work} agent=${agent} />`,
      html`<${For} at=${agent.since} />`,
      agent.slots ? `${count(agent.slots_used)} of ${count(agent.slots)}` : '–',
      count(agent.done_hour),
      html`<span class=${agent.failed_hour > 0 ? 'tone-critical' : ''}>${count(agent.failed_hour)}</span>`,
      duration(agent.p50_ms),
      duration(agent.p95_ms),
      share(agent.utilisation),
      agent.heartbeat_ms === null ? '–' : roughly(agent.heartbeat_ms),
    ],
  };
}

/** @param {{agent: FleetAgent}} props */
function Work({ agent }) {
  const task = agent.current;
  if (!task) return html`<span class="quiet">–</span>`;
  const more = agent.slots_used > 1 ? ` and ${agent.slots_used - 1} more` : '';
  const progress = task.progress === null ? '' : ` ${task.progress}\u00a0%`;
  return html`<span class="work"><a class="one-line" href=${taskAddress(task.task_id)} title=${foreignText(task.description)}><bdi>${foreignText(task.description, 120) || shortId(task.task_id)}</bdi></a><span class="quiet">${progress}${more}</span></span>`;
}

/** @param {{isFiltered: boolean, onAdd: () => void}} props */
function Nobody({ isFiltered, onAdd }) {
  if (isFiltered) return html`<${Empty} title="No agent fits." testid="empty-fleet"><p><a href=${at('/agents')}>Show all agents</a></p><//>`;
  return html`
    <${Empty} title="No agent has ever been here." testid="empty-fleet">
      <p>An agent is a program that takes tasks from this hub. It appears here by itself.</p>
      <p><button type="button" onClick=${onAdd}>Add an agent</button></p>
    <//>
  `;
}
