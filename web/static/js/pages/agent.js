// @ts-check
/** One agent: what it does, what it holds and until when, how it did, when it was there, and what may be ordered of it. */

import { taskAddress } from '../base.js';
import { AgentControls } from '../panels/agent_controls.js';
import { ConnectionStrip } from '../panels/connection_strip.js';
import { Utilisation } from '../panels/utilisation.js';
import { useTitle } from '../shell/title.js';
import { useResource } from '../store/resource.js';
import { AGENT_STATES, State } from '../ui/chip.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { Ago, For, duration, roughly } from '../ui/time.js';

/** @typedef {import('./agents.js').FleetAgent} FleetAgent */

/** @type {Map<string, import('../ui/chip.js').Look>} */
const OUTCOMES = new Map([
  ['completed', { word: 'Completed', symbol: 'ok', tone: 'ok' }],
  ['failed', { word: 'Failed', symbol: 'retry', tone: 'retry' }],
  ['dead_letter', { word: 'Dead letter', symbol: 'critical', tone: 'critical' }],
  ['reclaimed', { word: 'Taken back', symbol: 'retry', tone: 'warning' }],
  ['cancelled', { word: 'Cancelled', symbol: 'cancelled', tone: 'idle' }],
]);

const HELD_COLUMNS = [
  { id: 'what', text: 'Task' },
  { id: 'for', text: 'For' },
  { id: 'lease', text: 'Lease', number: true },
];

const LAST_COLUMNS = [
  { id: 'what', text: 'Task' },
  { id: 'outcome', text: 'Outcome' },
  { id: 'took', text: 'Took', number: true },
  { id: 'ended', text: 'Ended', number: true },
];

/** @param {{params: Record<string, string>}} props */
export function Agent({ params }) {
  const id = params.id ?? '';
  const { data, problem, isLoading, reload } = useResource(`/api/dashboard/agents/${encodeURIComponent(id)}`, { everyMs: 2000 });
  const agent = /** @type {FleetAgent | null} */ (problem?.status === 404 ? null : data);
  useTitle(foreignText(agent?.name ?? id, 60));
  if (problem?.status === 404) return html`<${Empty} title="The hub knows no such agent." testid="no-agent"><p>It was never here, or it was forgotten.</p><//>`;
  if (isLoading && !data) return html`<${Skeleton} rows=${8} />`;
  if (!agent) return html`<p class="banner tone-warning" role="status">${problem?.detail ?? ''}</p>`;
  return html`
    <div class="agent-page">
      ${problem && html`<p class="banner tone-warning" role="status">${problem.detail}</p>`}
      <${Head} agent=${agent} reload=${reload} />
      <div class="two">
        <div class="agent-column">
          <${InHand} held=${agent.held ?? []} />
          <${LastTasks} tasks=${agent.last_tasks ?? []} />
        </div>
        <div class="agent-column">
          <${Figures} agent=${agent} />
          <${Panel} title="Utilisation" padded><${Utilisation} agent=${agent} /><//>
          <${Panel} title="Connection" padded><${ConnectionStrip} connections=${agent.connections ?? []} /><//>
          <${Identity} agent=${agent} />
        </div>
      </div>
    </div>
  `;
}

/** @param {{agent: FleetAgent, reload: () => void}} props */
function Head({ agent, reload }) {
  const isApart = agent.mode !== 'active' && agent.connected_at !== null && agent.fsm_state !== 'idle';
  return html`
    <div class="agent-head" data-testid="agent-head" data-state=${agent.state} data-mode=${agent.mode}>
      <${State} looks=${AGENT_STATES} state=${agent.state} />
      <span class="quiet">for <${For} at=${agent.since} /></span>
      ${isApart && html`<span class="quiet">still ${AGENT_STATES.get(agent.fsm_state)?.word.toLowerCase() ?? agent.fsm_state}</span>`}
      ${agent.heartbeat_ms !== null && html`<span class="quiet">heartbeat ${roughly(agent.heartbeat_ms)} ago</span>`}
      <${AgentControls} agent=${agent} reload=${reload} />
    </div>
  `;
}

/** @param {{held: any[]}} props */
function InHand({ held }) {
  const list = useHeld(held, (one) => one.task_id);
  return html`
    <${Panel} title="In hand" area="in-hand" aside=${html`<span class="count">${held.length > 0 ? count(held.length) : ''}</span>`}>
      ${list.rows.length === 0
        ? html`<${Empty} title="Nothing in hand." />`
        : html`<${Table} name="held" label="In hand" columns=${HELD_COLUMNS} held=${list} row=${heldRow} />`}
    <//>
  `;
}

/** @param {any} one */
function heldRow(one) {
  return {
    attributes: { 'data-testid': 'held-row', 'data-task-id': one.task_id },
    cells: [
      html`<a class="clamp" href=${taskAddress(one.task_id)}>${foreignText(one.description, 200) || shortId(one.task_id)}</a>`,
      html`<${For} at=${one.assigned_at} prefix=${one.accepted_at ? 'Accepted, assigned' : 'Assigned, not accepted yet,'} />`,
      html`<span title="The task is taken back when the agent shows no life for so long">${roughly(one.left_ms)} left</span>`,
    ],
  };
}

/** @param {{tasks: any[]}} props */
function LastTasks({ tasks }) {
  const list = useHeld(tasks, (one) => `${one.task_id}-${one.ended_at}`);
  return html`
    <${Panel} title="Last tasks" area="last-tasks" aside=${html`<span class="count">${tasks.length > 0 ? count(tasks.length) : ''}</span>`}>
      ${list.rows.length === 0
        ? html`<${Empty} title="It has not finished a task yet." />`
        : html`<${Table} name="last" label="Last tasks" columns=${LAST_COLUMNS} held=${list} row=${lastRow} />`}
    <//>
  `;
}

/** @param {any} one */
function lastRow(one) {
  return {
    attributes: { 'data-testid': 'last-row', 'data-task-id': one.task_id },
    cells: [
      html`<a class="clamp" href=${taskAddress(one.task_id)}>${foreignText(one.description, 200) || shortId(one.task_id)}</a>`,
      html`<${State} looks=${OUTCOMES} state=${one.outcome} />`,
      duration(one.duration_ms),
      html`<${Ago} at=${one.ended_at} prefix="Ended" />`,
    ],
  };
}

/** @param {{agent: FleetAgent}} props */
function Figures({ agent }) {
  const slots = agent.slots ? `${count(agent.slots_used)} used, ${count(Math.max(0, agent.slots - agent.slots_used))} free` : '–';
  return html`
    <${Panel} title="Last hour" padded>
      <dl class="facts">
        <dt>Slots</dt><dd>${slots}</dd>
        <dt>Done</dt><dd>${count(agent.done_hour)}</dd>
        <dt>Failed</dt><dd class=${agent.failed_hour > 0 ? 'tone-critical' : ''}>${count(agent.failed_hour)}</dd>
        <dt>Run time</dt><dd title="Of the completed ones among its last 50 tasks">${duration(agent.p50_ms)} p50, ${duration(agent.p95_ms)} p95</dd>
      </dl>
    <//>
  `;
}

/** @param {{agent: FleetAgent}} props */
function Identity({ agent }) {
  return html`
    <${Panel} title="Identity" padded>
      <dl class="facts">
        <dt>Id</dt><dd><code><bdi>${foreignText(agent.agent_id, 128)}</bdi></code></dd>
        <dt>Connected</dt><dd><${Ago} at=${agent.connected_at} prefix="Connected" /></dd>
        <dt>Says</dt><dd><bdi>${foreignText(agent.status, 120) || '–'}</bdi></dd>
        <dt>Can do</dt><dd><div class="tags">${agent.capabilities.length === 0 ? 'nothing in particular' : agent.capabilities.map((name) => html`<bdi key=${name} class="tag">${foreignText(name, 64)}</bdi>`)}</div></dd>
      </dl>
    <//>
  `;
}
