// @ts-check
/** One task: where it is, why it waits, who tried it, what it prints and carries, and what one can do with it. */

import { useEffect } from 'preact/hooks';
import { at } from '../base.js';
import { TaskAttempts } from '../panels/task_attempts.js';
import { TaskCommands } from '../panels/task_commands.js';
import { TaskContent, TaskFacts } from '../panels/task_content.js';
import { TaskFailure } from '../panels/task_failure.js';
import { TaskHead } from '../panels/task_head.js';
import { TaskHistory } from '../panels/task_history.js';
import { TaskOutput } from '../panels/task_output.js';
import { TaskPath } from '../panels/task_path.js';
import { TaskWhy } from '../panels/task_why.js';
import { useTitle } from '../shell/title.js';
import { watch } from '../store/hub.js';
import { useResource } from '../store/resource.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { foreignText } from '../ui/text.js';

/** @typedef {import('../panels/task_commands.js').Task} Task */

/** @param {{params: Record<string, string>}} props */
export function TaskPage({ params }) {
  const id = params.id ?? '';
  const { data, problem, reload, path } = useResource(`/api/dashboard/tasks/${encodeURIComponent(id)}`, { everyMs: 2000, onEvents: false });
  useEffect(() => watch(`task:${id}`, () => reload()), [id]);
  const isThis = path.endsWith(encodeURIComponent(id));
  useTitle(data && isThis ? foreignText(data.task.description, 120) : '');
  if (problem?.status === 404 && isThis) return html`<${NoTask} code=${problem.code} />`;
  if (!data || !isThis) return problem ? html`<p class="banner tone-warning" role="status">${problem.detail}</p>` : html`<${Skeleton} rows=${10} />`;
  /** @type {{task: Task, explanation: any, attempts: any[], duplicates: string[]}} */
  const { task, explanation, attempts, duplicates } = data;
  const isWaiting = task.status === 'queued';
  return html`
    ${problem && html`<p class="banner tone-warning" role="status">${problem.detail} What is below is from before.</p>`}
    <div class="task-page" key=${id}>
      <${TaskHead} task=${task} attempts=${attempts} duplicates=${duplicates} reload=${reload} />
      ${isWaiting && html`<${TaskWhy} explanation=${explanation} />`}
      ${task.last_error && task.status !== 'completed' && html`<${TaskFailure} error=${task.last_error} status=${task.status} />`}
      <${TaskAttempts} attempts=${attempts} waitsSince=${isWaiting ? task.updated_at : null} />
      ${task.generation > 0 && html`<${TaskOutput} taskId=${id} isRunning=${task.status === 'assigned'} attempts=${attempts} />`}
      <${TaskContent} task=${task} />
      <div class="two">
        <${TaskHistory} entries=${task.history ?? []} />
        <div class="task-side">
          <${Panel} title="Its way so far" padded><${TaskPath} status=${task.status} history=${task.history ?? []} /><//>
          <${TaskFacts} task=${task} />
        </div>
      </div>
      <${TaskCommands} task=${task} />
    </div>
  `;
}

/** @param {{code: string}} props */
function NoTask({ code }) {
  const words = code === 'task_not_found' ? 'There is no such task. It may have been pruned.' : 'There is no such page.';
  return html`<section class="panel"><${Empty} title=${words}><p><a href=${at('/tasks')}>All tasks</a></p><//></section>`;
}
