// @ts-check
/** Tasks that failed for good, and the button that gives one another chance. */

import { el, count, foreignText, setAttribute, setText, shortId } from '../ui/dom.js';
import { announce } from '../ui/toast.js';
import { HeldRows, cell, headerCell, tableRegion } from '../ui/rows.js';
import { icon } from '../ui/icons.js';
import { taskAddress } from '../ui/tasks.js';
import { relativeTime, setRelativeTime } from '../ui/time.js';

/**
 * @typedef {import('../store.js').DeadLetter} DeadLetter
 * @typedef {import('../store.js').Retry} Retry
 * @typedef {{task: DeadLetter, retry: Retry | undefined}} Item
 */

/**
 * @param {HTMLElement} slot
 * @param {(taskId: string) => void} retry
 * @returns {(state: import('../store.js').State) => void}
 */
export function deadLettersView(slot, retry) {
  const head = /** @type {HTMLElement} */ (slot.previousElementSibling);
  const number = el('span', { class: 'count live-number' });
  head.append(number);
  const { region, list } = tableRegion('Dead letters', [
    { text: 'Task and error', className: 'col-error' },
    { text: 'Retries', className: 'col-retries', number: true },
    { text: 'Age', className: 'col-age' },
    { text: 'Action', className: 'col-action' },
  ]);
  const empty = emptyState();
  slot.append(empty, region);
  const key = (/** @type {Item} */ item) => item.task.id;
  const rows = new HeldRows({ region, list, head, empty, noun: 'dead letters', key, build: () => deadRow(retry), markGone: true });
  let before = -1;

  return (state) => {
    const tasks = /** @type {DeadLetter[]} */ (state.snapshot?.dead_letter_tasks ?? []);
    const total = state.snapshot?.dead_letter_total ?? tasks.length;
    rows.set(tasks.map((task) => ({ task, retry: state.retries.get(task.id) })), state.snapshot !== null);
    setText(number, total > tasks.length ? `newest ${count(tasks.length)} of ${count(total)}` : total ? count(total) : '');
    if (before >= 0 && total > before) announce(`${count(total)} dead letters, ${count(total - before)} more than before.`);
    if (state.snapshot) before = total;
  };
}

/** @param {(taskId: string) => void} retry */
function deadRow(retry) {
  let taskId = '';
  let pending = false;
  const description = el('bdi', {});
  const link = el('a', { class: 'strong' }, description);
  const id = el('code', { class: 'quiet' });
  const error = el('bdi', { class: 'error-text' });
  const note = el('div', { class: 'retry-note' });
  const retries = el('span');
  const age = relativeTime('for');
  const word = el('span');
  const button = el('button', { type: 'button', 'data-testid': 'retry-button' }, icon('retry'), word);
  const node = el(
    'tr',
    { role: 'row', 'data-testid': 'dead-row' },
    headerCell('Task', link, ' ', id, el('div', {}, error), note),
    cell('Retries', { class: 'number' }, retries),
    cell('Age', { class: 'time' }, age),
    cell('Action', {}, button),
  );
  // Not `disabled`: a disabled button would lose the focus of whoever pressed it.
  button.addEventListener('click', () => {
    if (!pending && !node.classList.contains('gone')) retry(taskId);
  });

  return {
    node,
    update: (/** @type {Item} */ { task, retry: attempt }) => {
      taskId = task.id;
      const status = attempt?.status;
      pending = status === 'pending' || status === 'requeued';
      setAttribute(node, 'data-task-id', task.id);
      setAttribute(node, 'data-retry', status ?? null);
      setText(description, foreignText(task.description));
      setAttribute(link, 'href', taskAddress(task.id));
      setText(id, shortId(task.id));
      setAttribute(id, 'title', task.id);
      setText(error, foreignText(task.last_error) || 'No error was given.');
      setText(retries, count(task.retry_count));
      setRelativeTime(age, task.created_at, 'Created');
      setText(word, status === 'pending' ? 'Retrying…' : status === 'requeued' ? 'Queued' : 'Retry');
      setAttribute(button, 'aria-disabled', pending ? 'true' : null);
      setAttribute(button, 'aria-label', `${word.textContent}: ${foreignText(task.description).slice(0, 80)}`);
      setText(note, status === 'failed' ? `Not queued again: ${attempt?.reason}` : '');
      setAttribute(note, 'class', status === 'failed' ? 'retry-note tone-warning' : 'retry-note');
    },
  };
}

function emptyState() {
  return el(
    'div',
    { class: 'empty', hidden: true, 'data-testid': 'empty-dead' },
    el('span', { class: 'state tone-ok' }, icon('ok'), 'No dead letters.'),
    el('p', {}, 'A task that has used up its retries waits here with its last error until somebody retries it.'),
  );
}
