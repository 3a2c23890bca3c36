// @ts-check
/** What was completed last. */

import { useRef, useState } from 'preact/hooks';
import { taskAddress } from '../base.js';
import { agents, snapshot } from '../store/hub.js';
import { submitSample } from '../store/samples.js';
import { CommandLine } from '../ui/command_line.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { Ago, duration } from '../ui/time.js';

/**
 * @typedef {{task_id: string, agent_id: string | null, description: string, duration_ms: number, tokens_used: number,
 *   completed_at: number}} Completion
 * @typedef {import('../ui/table.js').Order} Order
 */

const COLUMNS = [
  { id: 'what', text: 'Task', sortable: true },
  { id: 'by', text: 'Agent', sortable: true },
  { id: 'took', text: 'Took', number: true, sortable: true },
  { id: 'tokens', text: 'Tokens', number: true, sortable: true },
  { id: 'finished', text: 'Finished', number: true, sortable: true },
];

/** @type {Record<string, (task: Completion) => string | number>} */
const VALUES = {
  what: (task) => task.description,
  by: (task) => nameOf(task.agent_id),
  took: (task) => task.duration_ms,
  tokens: (task) => task.tokens_used,
  finished: (task) => task.completed_at,
};

/** @type {Completion[]} */
const NONE = [];

export function Completions() {
  const [words, setWords] = useState('');
  const [order, setOrder] = useState(/** @type {Order} */ ({ by: 'finished', isDown: true }));
  const all = /** @type {Completion[]} */ (snapshot.value?.recent_completions ?? NONE);
  const view = `${words} ${order.by} ${order.isDown}`;
  const shown = useShown(all, words, order, view);
  // A task that was completed, retried and completed again is two rows.
  const held = useHeld(shown, (task) => `${task.task_id} ${task.completed_at}`, view);
  const filter = html`
    <input
      type="search"
      class="panel-filter"
      aria-label="Filter the completions"
      placeholder="Filter"
      data-testid="completions-filter"
      value=${words}
      onInput=${(/** @type {any} */ event) => setWords(event.target.value)}
    />
  `;
  return html`
    <${Panel} title="Recent completions" area="completions" aside=${html`<${Newer} held=${held} noun="completions" />${all.length > 0 && filter}`}>
      ${snapshot.value === null
        ? html`<${Skeleton} />`
        : all.length === 0
          ? html`<${NoCompletions} />`
          : held.rows.length === 0
            ? html`<${Empty} title=${`0 of the last ${count(all.length)} match.`}><div><button type="button" onClick=${() => setWords('')}>Clear the filter</button></div><//>`
            : html`<${Table} name="completions" label="Recent completions" columns=${COLUMNS} held=${held} row=${completionRow} order=${order} onOrder=${setOrder} />`}
    <//>
  `;
}

/**
 * @param {Completion[]} all
 * @param {string} words
 * @param {Order} order
 * @param {string} view
 */
function useShown(all, words, order, view) {
  const kept = useRef({ all: NONE, view: '', shown: NONE });
  if (kept.current.all !== all || kept.current.view !== view) kept.current = { all, view, shown: sorted(filtered(all, words), order) };
  return kept.current.shown;
}

/**
 * @param {Completion[]} all
 * @param {string} words
 */
function filtered(all, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return all;
  return all.filter((task) => {
    const text = `${task.description} ${nameOf(task.agent_id)} ${task.task_id}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/**
 * @param {Completion[]} tasks
 * @param {Order} order
 */
function sorted(tasks, { by, isDown }) {
  const value = VALUES[by] ?? (() => 0);
  const sign = isDown ? -1 : 1;
  return [...tasks].sort((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (typeof first === 'string') return sign * first.localeCompare(String(second));
    return sign * (first - Number(second));
  });
}

/** @param {string | null} agentId */
function nameOf(agentId) {
  return agents.peek().find((agent) => agent.agent_id === agentId)?.name ?? agentId ?? '–';
}

/** @param {Completion} task */
function completionRow(task) {
  const words = foreignText(task.description);
  return {
    attributes: { 'data-testid': 'completion-row', 'data-task-id': task.task_id },
    cells: [
      html`<a class="one-line" href=${taskAddress(task.task_id)}><bdi title=${`${words} (${task.task_id})`}>${words || shortId(task.task_id)}</bdi></a>`,
      html`<bdi class="one-line" title=${task.agent_id}>${foreignText(nameOf(task.agent_id))}</bdi>`,
      duration(task.duration_ms),
      count(task.tokens_used),
      html`<${Ago} at=${task.completed_at} prefix="Finished" />`,
    ],
  };
}

function NoCompletions() {
  return html`
    <${Empty} title="Nothing was completed yet." testid="empty-completions">
      <p>As soon as an agent has done a task, it is listed here.</p>
      <div><button type="button" data-testid="sample" onClick=${() => void submitSample()}><${Icon} name="submitted" />Submit a sample task</button></div>
      <${CommandLine} line='agentcom task submit "Say hello"' />
    <//>
  `;
}
