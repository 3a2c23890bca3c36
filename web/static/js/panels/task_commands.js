// @ts-check
/** The same from a terminal: what one can ask about a task, and the task itself as a command that submits it again. */

import { html } from '../ui/html.js';
import { CommandLine } from '../ui/command_line.js';
import { laneName } from '../ui/chip.js';
import { Panel } from '../ui/panel.js';
import { format } from '../net/lossless.js';

/** @typedef {import('../pages/tasks.js').Task & {[field: string]: any}} Task */

/** @param {{task: Task}} props */
export function TaskCommands({ task }) {
  return html`
    <${Panel} title="From a terminal" padded>
      <div class="commands">${commandsFor(task).map((line) => html`<${CommandLine} key=${line} line=${line} />`)}</div>
    <//>
  `;
}

/** @param {Task} task */
function commandsFor(task) {
  const lines = [`agentcom task show ${task.id}`];
  if (task.status === 'queued') lines.push(`agentcom task explain ${task.id}`);
  if (task.generation > 0) lines.push(`agentcom task output ${task.id}${task.status === 'assigned' ? ' --follow' : ''}`);
  if (task.status === 'queued' || task.status === 'assigned') lines.push(`agentcom task wait ${task.id}`, `agentcom task cancel ${task.id}`);
  if (task.status === 'dead_letter') lines.push(`agentcom task retry ${task.id}`);
  return [...lines, `curl ${location.origin}/api/dashboard/tasks/${encodeURIComponent(task.id)}`];
}

/**
 * A command that submits the same task.
 * @param {Task} task
 */
export function asCli(task) {
  const words = ['agentcom task submit', quoted(task.description), '--lane', laneName(task.priority)];
  for (const need of task.needed_capabilities ?? []) words.push('--needs', quoted(need));
  if (task.assign_to) words.push('--agent', quoted(task.assign_to));
  if (task.max_retries !== 3) words.push('--retries', String(task.max_retries));
  if (Object.keys(task.metadata ?? {}).length > 0) words.push('--metadata', quoted(onOneLine(task.metadata)));
  return words.join(' ');
}

/**
 * The same as a request; the token is the reader's own.
 * @param {Task} task
 */
export function asCurl(task) {
  const body = onOneLine(bodyOf(task));
  return `curl -X POST ${location.origin}/api/tasks -H "Authorization: Bearer $AGENTCOM_TOKEN" -H 'Content-Type: application/json' -d ${quoted(body)}`;
}

/**
 * What `POST /api/tasks` takes to make another one like it.
 * @param {Task} task
 * @returns {Record<string, any>}
 */
function bodyOf(task) {
  return {
    description: task.description,
    priority: laneName(task.priority),
    needed_capabilities: task.needed_capabilities ?? [],
    max_retries: task.max_retries,
    metadata: task.metadata ?? {},
    ...(task.assign_to ? { assign_to: task.assign_to } : {}),
  };
}

/** @param {any} value */
function onOneLine(value) {
  return format(value).replace(/\n\s*/g, ' ');
}

/**
 * For a shell: everything between single quotes is itself.
 * @param {unknown} text
 */
function quoted(text) {
  const words = String(text);
  return /^[\w@%+=:,./-]+$/.test(words) ? words : `'${words.replaceAll("'", `'\\''`)}'`;
}
