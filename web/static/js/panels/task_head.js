// @ts-check
/** What one needs to know of a task at once, and what one can do with it. */

import { useEffect, useState } from 'preact/hooks';
import { agentAddress, taskAddress } from '../base.js';
import { post, reasonOf } from '../net/api.js';
import { useKeys } from '../shell/keys.js';
import { State, TASK_STATES, laneName } from '../ui/chip.js';
import { copy } from '../ui/command_line.js';
import { Dialog } from '../ui/dialog.js';
import { FileLink } from '../ui/file_link.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText, plural } from '../ui/text.js';
import { Ago } from '../ui/time.js';
import { toast } from '../ui/toast.js';
import { asCli, asCurl } from './task_commands.js';
import { DuplicateDialog } from './task_duplicate.js';

/** @typedef {import('./task_commands.js').Task} Task */

/** @param {{task: Task, attempts: object[], duplicates: string[], reload: () => void}} props */
export function TaskHead({ task, attempts, duplicates, reload }) {
  return html`
    <section class="task-head" aria-label="The task">
      <div class="task-line">
        <${State} looks=${TASK_STATES} state=${task.status} />
        <span class=${`tag lane-${laneName(task.priority)}`}><${Icon} name=${`lane-${task.priority}`} />${laneName(task.priority)}</span>
        ${attempts.length > 0 && html`<span class="number" data-testid="attempt-count">${tries(task, attempts.length)}</span>`}
        ${task.assigned_to && html`<span>${task.status === 'assigned' ? 'with' : 'by'} <a href=${agentAddress(task.assigned_to)}><bdi>${foreignText(task.assigned_to, 60)}</bdi></a></span>`}
        <span class="quiet">submitted${task.submitted_by && html` by <bdi>${foreignText(task.submitted_by, 60)}</bdi>`} <${Ago} at=${task.created_at} prefix="Submitted" /></span>
        <span class="task-id"><code class="quiet">${task.id}</code><button type="button" class="plain" aria-label="Copy the id of the task" onClick=${() => void copy(task.id)}><${Icon} name="copy" /></button></span>
      </div>
      ${(task.duplicate_of || duplicates.length > 0) && html`<${Relatives} of=${task.duplicate_of} duplicates=${duplicates} />`}
      <${Actions} task=${task} reload=${reload} />
    </section>
  `;
}

/**
 * @param {Task} task
 * @param {number} attempts
 */
function tries(task, attempts) {
  const failed = plural(task.retry_count, 'failure');
  if (task.status !== 'queued' && task.status !== 'assigned') return `${plural(attempts, 'attempt')}, ${failed}`;
  const left = Math.max(0, task.max_retries - task.retry_count);
  return `Attempt ${attempts}; ${task.retry_count === 0 ? failed : `${failed}, ${left} more and it is dead`}`;
}

/** @param {{of?: string, duplicates: string[]}} props */
function Relatives({ of, duplicates }) {
  return html`
    <p class="quiet" data-testid="relatives">
      ${of && html`Made after <a href=${taskAddress(of)}><code>${of}</code></a>. `}
      ${duplicates.length > 0 && html`Duplicated as ${duplicates.map((id, place) => html`${place > 0 ? ', ' : ''}<a key=${id} href=${taskAddress(id)}><code>${id}</code></a>`)}.`}
    </p>
  `;
}

/** @typedef {'cancel' | 'retry' | 'discard' | 'recover'} Action */

/** @type {Record<Action, {pending: string, done: string}>} */
const SAYS = {
  cancel: { pending: 'Cancelling…', done: 'The task is cancelled.' },
  retry: { pending: 'Queueing…', done: 'The task is queued again.' },
  discard: { pending: 'Discarding…', done: 'The task is discarded. It can be taken back for 24 hours.' },
  recover: { pending: 'Taking back…', done: 'The task is among the dead letters again.' },
};

/** @param {{task: Task, reload: () => void}} props */
function Actions({ task, reload }) {
  const [open, setOpen] = useState(/** @type {'cancel' | 'discard' | 'duplicate' | null} */ (null));
  const [pending, setPending] = useState(/** @type {Action | null} */ (null));
  useEffect(() => setPending(null), [task.status, task.generation]);
  const act = async (/** @type {Action} */ action) => {
    if (pending) return;
    setPending(action);
    try {
      await post(`/api/tasks/${encodeURIComponent(task.id)}/${action}`);
      toast('ok', SAYS[action].done);
      reload();
    } catch (error) {
      setPending(null);
      toast('warning', reasonOf(error));
    }
  };
  const isOpen = task.status === 'queued' || task.status === 'assigned';
  const isDead = task.status === 'dead_letter';
  const isDiscarded = task.status === 'cancelled' && task.history?.[0]?.event === 'discarded';
  const button = (/** @type {Action} */ action, /** @type {string} */ icon, /** @type {string} */ words, /** @type {() => void} */ press, look = '') => html`
    <button type="button" class=${look} aria-disabled=${pending !== null} onClick=${() => pending || press()}><${Icon} name=${icon} />${pending === action ? SAYS[action].pending : words}</button>
  `;
  useKeys([
    { key: 'c', what: 'Cancel the task', run: () => isOpen && !pending && setOpen('cancel') },
    { key: 'r', what: 'Retry the dead task', run: () => isDead && void act('retry') },
    { key: 'd', what: 'Duplicate and edit the task', run: () => setOpen('duplicate') },
  ]);
  return html`
    <div class="task-actions">
      ${isOpen && button('cancel', 'cancelled', 'Cancel', () => setOpen('cancel'), 'danger')}
      ${isDead && button('retry', 'retry', 'Retry', () => void act('retry'))}
      ${isDead && button('discard', 'cancelled', 'Discard', () => setOpen('discard'), 'danger')}
      ${isDiscarded && button('recover', 'retry', 'Take back', () => void act('recover'))}
      <button type="button" onClick=${() => setOpen('duplicate')}><${Icon} name="submitted" />Duplicate and edit</button>
      <button type="button" onClick=${() => void copy(asCli(task))}><${Icon} name="copy" />Copy as CLI</button>
      <button type="button" onClick=${() => void copy(asCurl(task))}><${Icon} name="copy" />Copy as curl</button>
      <${FileLink} path=${`/api/dashboard/tasks/${encodeURIComponent(task.id)}`} name=${`${task.id}.json`} isShown>Raw JSON<//>
      ${open === 'duplicate' && html`<${DuplicateDialog} task=${task} onClose=${() => setOpen(null)} />`}
      ${open === 'cancel' && html`<${Confirm} task=${task} action="cancel" onClose=${() => setOpen(null)} onConfirm=${() => void act('cancel')} />`}
      ${open === 'discard' && html`<${Confirm} task=${task} action="discard" onClose=${() => setOpen(null)} onConfirm=${() => void act('discard')} />`}
    </div>
  `;
}

/** @param {{task: Task, action: 'cancel' | 'discard', onClose: () => void, onConfirm: () => void}} props */
function Confirm({ task, action, onClose, onConfirm }) {
  const [title, words] = action === 'cancel' ? ['Cancel this task?', 'Cancel the task'] : ['Discard this dead letter?', 'Discard the task'];
  const confirmed = () => {
    onClose();
    onConfirm();
  };
  return html`
    <${Dialog} title=${title} onClose=${onClose} testid=${`${action}-dialog`}>
      <p><bdi class="strong">${foreignText(task.description, 200)}</bdi></p>
      <p>${action === 'cancel' ? html`<${Loss} task=${task} />` : 'It is cancelled for good, unless it is taken back within 24 hours.'}</p>
      <div class="dialog-actions">
        <button type="button" onClick=${onClose}>Let it be</button>
        <button type="button" class="danger" onClick=${confirmed}>${words}</button>
      </div>
    <//>
  `;
}

/** @param {{task: Task}} props */
function Loss({ task }) {
  if (task.status !== 'assigned' || !task.assigned_to) return 'No agent has it. It will not be handed out.';
  return html`<bdi>${foreignText(task.assigned_to, 60)}</bdi> works on it. Its process is ended, and nothing of its result is kept.`;
}
