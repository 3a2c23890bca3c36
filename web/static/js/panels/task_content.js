// @ts-check
/** What a task carries and what came of it, and its plain facts. */

import { format } from '../net/lossless.js';
import { laneName } from '../ui/chip.js';
import { copy } from '../ui/command_line.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { JsonView } from '../ui/json_view.js';
import { Panel } from '../ui/panel.js';
import { count, foreignText } from '../ui/text.js';
import { absolute, duration, isTime } from '../ui/time.js';

/** @typedef {import('./task_commands.js').Task} Task */

const DESCRIPTION_MAX = 10_000;

/** @param {{task: Task}} props */
export function TaskContent({ task }) {
  return html`
    <div class="two">
      <${Panel} title="What is to be done" padded>
        <p class="task-text" data-testid="task-title"><bdi>${foreignText(task.description, DESCRIPTION_MAX)}</bdi></p>
      <//>
      <${Json} title="Metadata" value=${task.metadata ?? {}} />
      ${task.status === 'completed' && html`<${Json} title="Result" value=${task.result} />`}
    </div>
  `;
}

/** @param {{title: string, value: any}} props */
function Json({ title, value }) {
  const button = html`<button type="button" aria-label=${`Copy ${title.toLowerCase()} as JSON`} onClick=${() => void copy(format(value))}><${Icon} name="copy" />Copy</button>`;
  return html`<${Panel} title=${title} padded aside=${button}><${JsonView} value=${value} name=${title} /><//>`;
}

/** @param {{task: Task}} props */
export function TaskFacts({ task }) {
  const took = isTime(task.completed_at) && isTime(task.assigned_at) ? duration(Math.max(0, task.completed_at - task.assigned_at)) : null;
  const when = (/** @type {unknown} */ time) => (isTime(time) ? absolute(time) : null);
  /** @type {[string, unknown][]} */
  const facts = [
    ['Lane', laneName(task.priority)],
    ['Needs', (task.needed_capabilities ?? []).join(', ')],
    ['Only for', task.assign_to],
    ['Generation', task.generation],
    ['Failures', `${count(task.retry_count)} of ${count(task.max_retries)}`],
    ['Taken back', task.reclaim_count ? count(task.reclaim_count) : null],
    ['Last attempt took', took],
    ['Tokens', task.tokens_used ? count(task.tokens_used) : null],
    ['Submitted', when(task.created_at)],
    ['Changed', when(task.updated_at)],
    ['Not before', when(task.not_before)],
    ['Complete by', when(task.complete_by)],
  ];
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== '');
  return html`<${Panel} title="Facts" padded><dl class="facts">${known.map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${foreignText(value)}</bdi></dd>`)}</dl><//>`;
}
