// @ts-check
/** How far a bulk operation is, what became of its tasks, and the button that stops it. */

import { useState } from 'preact/hooks';
import { at } from '../base.js';
import { reasonOf } from '../net/api.js';
import { ACTIONS, isRunning, stop } from '../store/operations.js';
import { useResource } from '../store/resource.js';
import { LANES } from '../ui/chip.js';
import { Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { count, foreignText, plural } from '../ui/text.js';
import { Ago } from '../ui/time.js';
import { toast } from '../ui/toast.js';

/** @typedef {import('../store/operations.js').Operation} Operation */

const STATES = new Map([
  ['running', 'Under way'],
  ['probing', 'Probing'],
  ['finished', 'Finished'],
  ['cancelled', 'Stopped'],
  ['probe_failed', 'Probe failed'],
]);

/** What a task is now, in the words of a sentence. */
const BECAME = new Map([
  ['completed', 'done'],
  ['dead_letter', 'failed again'],
  ['assigned', 'running'],
  ['queued', 'waiting'],
  ['cancelled', 'cancelled'],
]);

/** One operation, live. @param {{id: string}} props */
export function OperationProgress({ id }) {
  const { data, problem } = useResource(`/api/operations/${encodeURIComponent(id)}`, { everyMs: 700 });
  if (!data) return problem ? html`<p class="tone-warning" role="alert">${problem.detail}</p>` : html`<${Skeleton} rows=${2} />`;
  return html`
    <${OperationRow} operation=${data.operation} outcome=${data.outcome} />
    ${data.problems.length > 0 && html`
      <details><summary>${plural(data.operation.skipped + data.operation.failed, 'task')} not ${ACTIONS[/** @type {Operation} */ (data.operation).action].past}</summary>
        <ul class="samples">${data.problems.map((/** @type {any} */ one) => html`<li key=${one.task_id}><code>${one.task_id}</code> <bdi class="quiet">${foreignText(one.detail)}</bdi></li>`)}</ul>
      </details>
    `}
  `;
}

/** @param {{operation: Operation, outcome?: Record<string, number> | null}} props */
function OperationRow({ operation, outcome }) {
  const { id, action, done, skipped, failed, total, note, state } = operation;
  const [isStopping, setStopping] = useState(false);
  const press = async () => {
    if (isStopping) return;
    setStopping(true);
    try {
      await stop(id);
      toast('info', 'The operation is stopped where it was.');
    } catch (error) {
      setStopping(false);
      toast('warning', reasonOf(error));
    }
  };
  const where = placeOf(operation);
  const tone = state === 'probe_failed' ? 'tone-critical' : isRunning(operation) ? 'tone-info' : '';
  return html`
    <div class="operation" data-testid="operation" data-operation=${id} data-state=${state}>
      <div class="operation-head">
        <strong class=${tone}>${STATES.get(state) ?? state}</strong>
        <span>${ACTIONS[action].verb}${where}: <bdi><code>${operation.query === null ? 'a selection' : foreignText(operation.query, 80) || 'every task'}</code></bdi></span>
        <span class="quiet small">by <bdi>${foreignText(operation.made_by, 40) || 'somebody'}</bdi>, <${Ago} at=${operation.made_at} prefix="Started" /></span>
        ${isRunning(operation) && html`<button type="button" aria-disabled=${isStopping ? 'true' : null} onClick=${press}>Stop</button>`}
      </div>
      <progress max=${Math.max(1, total)} value=${done + skipped + failed} aria-label=${`${ACTIONS[action].verb}: tasks looked at`}></progress>
      <p class="small" data-testid="operation-numbers">
        ${count(done)} ${ACTIONS[action].past} · ${count(skipped)} skipped · ${count(failed)} failed · of ${count(total)}
        ${done > 0 && html` · <a href=${at(`/tasks?q=operation:${id}`)}>show them</a>`}
      </p>
      ${outcome && action === 'retry' && done > 0 && html`<p class="small" data-testid="operation-outcome">${becameOf(outcome)}</p>`}
      ${note && html`<p class=${`small ${tone}`} data-testid="operation-note"><bdi>${foreignText(note)}</bdi></p>`}
    </div>
  `;
}

/** @param {Operation} operation */
function placeOf({ action, lane, agent }) {
  if (action === 'reassign') return ` to ${agent === null ? 'anybody' : foreignText(agent, 60)}`;
  return action === 'lane' && lane !== null ? ` to ${LANES[lane] ?? ''}` : '';
}

/**
 * "290 done, 9 failed again, 13 running".
 * @param {Record<string, number>} outcome
 */
export function becameOf(outcome) {
  const parts = [...BECAME].filter(([status]) => outcome[status]).map(([status, word]) => `${count(outcome[status])} ${word}`);
  return parts.length ? `Now: ${parts.join(', ')}.` : '';
}

/** Those of the last day, the running ones first. */
export function Operations() {
  const { data } = useResource('/api/operations', { everyMs: 1000 });
  const all = /** @type {Operation[]} */ (data?.operations ?? []);
  const shown = [...all.filter(isRunning), ...all.filter((one) => !isRunning(one))].slice(0, 5);
  if (shown.length === 0) return null;
  return html`
    <${Panel} title="Bulk operations" area="operations" padded aside=${html`<span class="count">${plural(all.filter(isRunning).length, 'running', 'running')}</span>`}>
      ${shown.map((one) => html`<${OperationRow} key=${one.id} operation=${one} />`)}
    <//>
  `;
}
