// @ts-check
/** What was completed last, newest first. */

import { el, count, foreignText, setAttribute, setText, shortId } from '../ui/dom.js';
import { commandLine } from '../ui/dialog.js';
import { HeldRows, cell, headerCell, tableRegion } from '../ui/rows.js';
import { taskAddress } from '../ui/tasks.js';
import { duration, relativeTime, setRelativeTime } from '../ui/time.js';

/**
 * @typedef {import('../store.js').Completion} Completion
 * @typedef {{task: Completion, agent: string}} Item
 */

/**
 * @param {HTMLElement} slot
 * @returns {(state: import('../store.js').State) => void}
 */
export function completionsView(slot) {
  const head = /** @type {HTMLElement} */ (slot.previousElementSibling);
  const { region, list } = tableRegion('Recent completions', [
    { text: 'Task', className: 'col-what' },
    { text: 'Agent', className: 'col-by' },
    { text: 'Took', className: 'col-took', number: true },
    { text: 'Tokens', className: 'col-tokens', number: true },
    { text: 'Finished', className: 'col-finished' },
  ]);
  const empty = emptyState();
  slot.append(empty, region);
  // A task that was completed, retried and completed again is two rows.
  const key = (/** @type {Item} */ { task }) => `${task.task_id} ${task.completed_at}`;
  const rows = new HeldRows({ region, list, head, empty, noun: 'completions', key, build: completionRow });

  return (state) => {
    const tasks = /** @type {Completion[]} */ (state.snapshot?.recent_completions ?? []);
    const names = new Map(state.agents.map((agent) => [agent.agent_id, agent.name]));
    rows.set(tasks.map((task) => ({ task, agent: names.get(task.agent_id ?? '') ?? task.agent_id ?? '–' })), state.snapshot !== null);
  };
}

function completionRow() {
  const description = el('bdi', { class: 'clamp' });
  const link = el('a', {}, description);
  const agent = el('bdi', { class: 'clamp' });
  const took = el('span');
  const tokens = el('span');
  const finished = relativeTime('ago');
  const node = el(
    'tr',
    { role: 'row', 'data-testid': 'completion-row' },
    headerCell('Task', link),
    cell('Agent', {}, agent),
    cell('Took', { class: 'number' }, took),
    cell('Tokens', { class: 'number' }, tokens),
    cell('Finished', { class: 'time' }, finished),
  );

  return {
    node,
    update: (/** @type {Item} */ { task, agent: name }) => {
      const words = foreignText(task.description);
      setAttribute(node, 'data-task-id', task.task_id);
      setText(description, words || shortId(task.task_id));
      setAttribute(link, 'href', taskAddress(task.task_id));
      setAttribute(description, 'title', `${words} (${task.task_id})`);
      setText(agent, foreignText(name));
      setAttribute(agent, 'title', task.agent_id);
      setText(took, duration(task.duration_ms));
      setText(tokens, count(task.tokens_used));
      setRelativeTime(finished, task.completed_at, 'Finished');
    },
  };
}

function emptyState() {
  return el(
    'div',
    { class: 'empty', hidden: true, 'data-testid': 'empty-completions' },
    el('strong', {}, 'Nothing was completed yet.'),
    el('p', {}, 'Submit a task; as soon as an agent has done it, it is listed here.'),
    commandLine('agentcom task submit "Say hello"'),
  );
}
