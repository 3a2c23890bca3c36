// @ts-check
/** Why a task waits: one sentence, what to do about it, and what every agent says to it. */

import { agentAddress } from '../base.js';
import { html } from '../ui/html.js';
import { AGENT_STATES, State } from '../ui/chip.js';
import { useHeld } from '../ui/held.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText } from '../ui/text.js';

/** @param {{explanation: any}} props */
export function TaskWhy({ explanation }) {
  return html`
    <${Panel} title="Why is it waiting?" padded>
      <p class="sentence" data-testid="why" data-reason=${explanation.reason}>${foreignText(explanation.sentence, 1000)}</p>
      ${explanation.next_step && html`<p class="quiet">${foreignText(explanation.next_step, 1000)}</p>`}
      ${explanation.agents.length > 0 && html`<${Candidates} agents=${explanation.agents} />`}
    <//>
  `;
}

const COLUMNS = [
  { id: 'agent', text: 'Agent' },
  { id: 'state', text: 'State' },
  { id: 'free', text: 'Free slots', number: true },
  { id: 'lacks', text: 'Lacks' },
];

/** @typedef {{agent_id: string, state: string, missing: string[], free: number, slots: number, may_have_it: boolean}} Candidate */

/** @param {{agents: Candidate[]}} props */
function Candidates({ agents }) {
  const held = useHeld(agents, (agent) => agent.agent_id);
  const row = (/** @type {Candidate} */ agent) => ({
    cells: [
      html`<a class=${agent.may_have_it ? 'plain-link strong' : 'plain-link quiet'} href=${agentAddress(agent.agent_id)}><bdi>${foreignText(agent.agent_id)}</bdi></a>`,
      html`<${State} looks=${AGENT_STATES} state=${agent.state} />`,
      `${count(agent.free)} of ${count(agent.slots)}`,
      foreignText(agent.missing.join(', ')) || (agent.may_have_it ? 'nothing' : 'the task is for another agent'),
    ],
  });
  return html`<${Table} name="candidates" label="What every agent says to it" columns=${COLUMNS} held=${held} row=${row} />`;
}
