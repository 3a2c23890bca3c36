// @ts-check
/** One task: where it is, why it waits, what happened to it, what it carries, and the same from a terminal. */

import { at } from '../base.js';
import { useResource } from '../store/resource.js';
import { State, TASK_STATES, laneName } from '../ui/chip.js';
import { CommandLine } from '../ui/command_line.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText } from '../ui/text.js';
import { Ago, absolute, duration, isTime } from '../ui/time.js';
import { useTitle } from '../shell/title.js';

/** @typedef {import('./tasks.js').Task} Task */

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

/** @param {{params: Record<string, string>}} props */
function TaskPage({ params }) {
  const path = `/api/dashboard/tasks/${encodeURIComponent(params.id ?? '')}`;
  const { data, problem } = useResource(path, { everyMs: 2000 });
  useTitle(data ? foreignText(data.task.description, 200) : '');
  if (problem?.status === 404) return html`<${NoTask} code=${problem.code} />`;
  if (!data) return problem ? html`<p class="banner tone-warning" role="status">${problem.detail}</p>` : html`<${Skeleton} rows=${10} />`;
  const { task, explanation } = data;
  return html`
    ${problem && html`<p class="banner tone-warning" role="status">${problem.detail} What is below is from before.</p>`}
    <div class="task-page">
      <div class="task-head">
        <span class="unseen" data-testid="task-title">${foreignText(task.description, 2000)}</span>
        <${State} looks=${TASK_STATES} state=${task.status} /><code class="quiet">${task.id}</code>
      </div>
      ${(task.status === 'queued' || task.status === 'assigned') && html`<${Why} explanation=${explanation} />`}
      <div class="two">
        <${Panel} title="What happened" padded><${History} entries=${task.history ?? []} /><//>
        <${Panel} title="Facts" padded><${Facts} task=${task} /><//>
      </div>
      <${Panel} title="Payload and result" padded><${Payload} task=${task} address=${path} /><//>
      <${Panel} title="Do it from a terminal" padded>${commandsFor(task, path).map((line) => html`<${CommandLine} key=${line} line=${line} />`)}<//>
    </div>
  `;
}

/** @param {{code: string}} props */
function NoTask({ code }) {
  const words = code === 'task_not_found' ? 'There is no such task. It may have been pruned.' : 'There is no such page.';
  return html`<section class="panel"><${Empty} title=${words}><p><a href=${at('/tasks')}>All tasks</a></p><//></section>`;
}

/** @param {{explanation: any}} props */
function Why({ explanation }) {
  return html`
    <${Panel} title="Why is it waiting?" padded>
      <p class="sentence" data-testid="why">${foreignText(explanation.sentence, 1000)}</p>
      ${explanation.next_step && html`<p class="quiet">${foreignText(explanation.next_step, 1000)}</p>`}
      ${explanation.agents.length > 0 && html`<${Candidates} agents=${explanation.agents} />`}
    <//>
  `;
}

const CANDIDATE_COLUMNS = [
  { id: 'owner', text: 'Agent' },
  { id: 'status', text: 'State' },
  { id: 'tries', text: 'Free slots', number: true },
  { id: 'what', text: 'Lacks' },
];

/** @typedef {{agent_id: string, state: string, missing: string[], free: number, slots: number, may_have_it: boolean}} Candidate */

/** @param {{agents: Candidate[]}} props */
function Candidates({ agents }) {
  const held = useHeld(agents, (agent) => agent.agent_id);
  const row = (/** @type {Candidate} */ agent) => ({
    cells: [
      html`<bdi class=${agent.may_have_it ? 'strong' : 'quiet'}>${foreignText(agent.agent_id)}</bdi>`,
      foreignText(agent.state, 40),
      `${count(agent.free)} of ${count(agent.slots)}`,
      foreignText(agent.missing.join(', ')) || (agent.may_have_it ? 'nothing' : 'the task is for another agent'),
    ],
  });
  return html`<${Table} label="What every agent says to it" columns=${CANDIDATE_COLUMNS} held=${held} row=${row} />`;
}

/** @param {{entries: {event: string, timestamp: number, details: any}[]}} props newest first */
function History({ entries }) {
  return html`
    <ol class="timeline" data-testid="history">
      ${entries.map((entry, place) => {
        const look = EVENTS.get(entry.event) ?? { word: foreignText(entry.event, 60).replaceAll('_', ' '), symbol: 'dot', tone: 'idle' };
        return html`
          <li key=${entries.length - place}>
            <${Ago} at=${entry.timestamp} /><${Icon} name=${look.symbol} tone=${look.tone} />
            <div><span class="strong">${look.word}</span> <bdi>${detailsOf(entry)}</bdi></div>
          </li>
        `;
      })}
    </ol>
  `;
}

/** @param {{event: string, details: any}} entry */
function detailsOf({ event, details }) {
  if (details === null || details === undefined) return '';
  if (typeof details !== 'object') return foreignText(String(details).replaceAll('_', ' '));
  if (event === 'assigned') return `${foreignText(details.agent_id)} (attempt ${count(details.generation)})`;
  const words = Object.entries(details).map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  return foreignText(words.join(', '));
}

/** @param {{task: Task}} props */
function Facts({ task }) {
  const took = isTime(task.completed_at) && isTime(task.assigned_at) ? duration(task.completed_at - task.assigned_at) : null;
  const when = (/** @type {unknown} */ time) => (isTime(time) ? absolute(time) : null);
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
    ['Submitted', when(task.created_at)],
    ['Changed', when(task.updated_at)],
    ['Complete by', when(task.complete_by)],
  ];
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return html`<dl class="facts">${known.map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${foreignText(value)}</bdi></dd>`)}</dl>`;
}

/** @param {{task: Task, address: string}} props */
function Payload({ task, address }) {
  return html`
    ${task.last_error && html`<${Block} title="Last error" text=${foreignText(task.last_error, JSON_MAX)} />`}
    <${Block} title="Metadata" text=${asJson(task.metadata, address)} />
    <${Block} title="Result" text=${task.status === 'completed' ? asJson(task.result, address) : 'None yet.'} />
  `;
}

/** @param {{title: string, text: string}} props */
function Block({ title, text }) {
  return html`<div><h3 class="json-title">${title}</h3><pre class="json" tabindex="0" role="region" aria-label=${title}>${text}</pre></div>`;
}

/**
 * @param {unknown} value
 * @param {string} address
 */
function asJson(value, address) {
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return text.length > JSON_MAX ? `${text.slice(0, JSON_MAX)}\n… ${count(text.length - JSON_MAX)} more characters in ${address}` : text;
}

/**
 * @param {Task} task
 * @param {string} path
 */
function commandsFor(task, path) {
  const lines = [`agentcom task show ${task.id}`];
  if (task.status === 'queued') lines.push(`agentcom task explain ${task.id}`);
  if (task.status === 'queued' || task.status === 'assigned') lines.push(`agentcom task wait ${task.id}`, `agentcom task cancel ${task.id}`);
  if (task.status === 'dead_letter') lines.push(`agentcom task retry ${task.id}`);
  return [...lines, `curl ${location.origin}${path}`];
}

/** @type {import('../router.js').Page} */
export const page = { id: 'task', path: '/tasks/:id', title: 'Task', within: 'tasks', component: TaskPage };
