// @ts-check
/** Why the last attempt failed, whose fault it looks like, and what to do about it. */

import { at } from '../base.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { foreignText } from '../ui/text.js';

const ERROR_MAX = 2000;

/** @type {[pattern: RegExp, whose: string, advice: string][]} the first that fits says it */
const KINDS = [
  [/^deadline passed$/, 'The deadline', 'Its deadline passed before an agent had done it. Duplicate it with a later one, or give it a more urgent lane.'],
  [/^handed out \d+ times and never finished/, 'The agents', 'Every agent that had it fell silent. Look at what its last lines of output say, and at those agents: a task that kills its worker does it again.'],
  [/^time limit of /, 'The time limit', 'It ran longer than its agent allows. Start the agent with a longer --task-timeout, or make the task smaller.'],
  [/^the command cannot be run/, 'The agent', "The agent's command cannot be started. Check the command after -- with which that agent was started."],
  [/^ended by signal 9\b/, 'The machine', 'Something killed the process, often for want of memory. Look at the memory of that machine.'],
  [/^ended by signal /, 'The task', 'The process was ended by a signal. The end of its output may say why.'],
  [/^exit status 127\b/, 'The agent', 'A program that the command needs is not installed on that machine.'],
  [/^exit status 126\b/, 'The agent', 'A file that the command runs is not executable on that machine.'],
  [/^exit status /, 'The task', 'The command ended with an error. The end of its output says why; mend that, then retry.'],
];

/** @param {{error: string, status: string}} props */
export function TaskFailure({ error, status }) {
  const kind = KINDS.find(([pattern]) => pattern.test(error));
  return html`
    <${Panel} title=${status === 'dead_letter' ? 'Why it is dead' : 'Why the last attempt failed'} padded>
      <pre class="failure-text tone-critical" tabindex="0" role="region" aria-label="Error">${foreignText(error, ERROR_MAX)}</pre>
      <p class="sentence">${kind ? html`<span class="strong">${kind[1]}.</span> ${kind[2]}` : 'The agent gave this reason. When it is mended, retry the task; or duplicate it and change what it says.'}</p>
      ${status === 'dead_letter' && html`<p class="quiet">Others may have died of the same: <a href=${at('/dead')}>dead letters by cause</a>.</p>`}
    <//>
  `;
}
