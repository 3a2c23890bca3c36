// @ts-check
/** Tasks that failed for good, and the button that gives one another chance. */

import { useEffect, useRef } from 'preact/hooks';
import { taskAddress } from '../base.js';
import { snapshot } from '../store/hub.js';
import { retries, retryTask } from '../store/retries.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { For } from '../ui/time.js';
import { announce } from '../ui/toast.js';

/** @typedef {{id: string, description: string, last_error: string | null, retry_count: number, created_at: number}} DeadLetter */

const COLUMNS = [
  { id: 'error', text: 'Task and error' },
  { id: 'retries', text: 'Retries', number: true },
  { id: 'age', text: 'Age' },
  { id: 'action', text: 'Action' },
];

/** @type {DeadLetter[]} */
const NONE = [];

export function DeadLetters() {
  const tasks = /** @type {DeadLetter[]} */ (snapshot.value?.dead_letter_tasks ?? NONE);
  const total = snapshot.value?.dead_letter_total ?? tasks.length;
  const held = useHeld(tasks, (task) => task.id);
  useSpokenGrowth(total, snapshot.value !== null);
  const number = total > tasks.length ? `newest ${count(tasks.length)} of ${count(total)}` : total ? count(total) : '';
  const aside = html`<span class="count live-number">${number}</span><${Newer} held=${held} noun="dead letters" />`;
  return html`
    <${Panel} title="Dead letters" area="dead" aside=${aside}>
      ${snapshot.value === null
        ? html`<${Skeleton} />`
        : held.rows.length === 0
          ? html`<${NoDeadLetters} />`
          : html`<${Table} label="Dead letters" columns=${COLUMNS} held=${held} row=${deadRow} />`}
    <//>
  `;
}

/**
 * @param {number} total
 * @param {boolean} isKnown
 */
function useSpokenGrowth(total, isKnown) {
  const before = useRef(-1);
  useEffect(() => {
    if (!isKnown) return;
    if (before.current >= 0 && total > before.current) announce(`${count(total)} dead letters, ${count(total - before.current)} more than before.`);
    before.current = total;
  }, [total, isKnown]);
}

/**
 * @param {DeadLetter} task
 * @param {boolean} isGone
 */
function deadRow(task, isGone) {
  const retry = retries.value.get(task.id);
  return {
    attributes: { 'data-testid': 'dead-row', 'data-task-id': task.id, 'data-retry': retry?.status },
    cells: [
      html`
        <a class="one-line" href=${taskAddress(task.id)} title=${`${foreignText(task.description)} (${task.id})`}><bdi>${foreignText(task.description) || shortId(task.id)}</bdi></a>
        <bdi class="error-text clamp" title=${foreignText(task.last_error)}>${foreignText(task.last_error) || 'No error was given.'}</bdi>
        ${retry?.status === 'failed' && html`<div class="retry-note tone-warning">Not queued again: ${retry.reason}</div>`}
      `,
      count(task.retry_count),
      html`<${For} at=${task.created_at} prefix="Created" />`,
      html`<${RetryButton} task=${task} status=${retry?.status} isGone=${isGone} />`,
    ],
  };
}

/**
 * Not `disabled`: a disabled button would lose the focus of whoever pressed it.
 * @param {{task: DeadLetter, status?: string, isGone: boolean}} props
 */
function RetryButton({ task, status, isGone }) {
  const isBusy = isGone || status === 'pending' || status === 'requeued';
  const word = status === 'pending' ? 'Retrying…' : status === 'requeued' ? 'Queued' : isGone ? 'Gone' : 'Retry';
  return html`
    <button
      type="button"
      data-testid="retry-button"
      aria-disabled=${isBusy ? 'true' : null}
      aria-label=${`${word}: ${foreignText(task.description).slice(0, 80)}`}
      onClick=${() => !isBusy && retryTask(task.id)}
    >
      <${Icon} name="retry" />${word}
    </button>
  `;
}

function NoDeadLetters() {
  const title = html`<span class="state tone-ok"><${Icon} name="ok" /><span>No dead letters.</span></span>`;
  return html`
    <${Empty} title=${title} testid="empty-dead">
      <p>A task that has used up its retries waits here with its last error until somebody retries it.</p>
    <//>
  `;
}
