// @ts-check
/** The agents, those that need somebody first. */

import { useEffect, useRef } from 'preact/hooks';
import { agentAddress, taskAddress } from '../base.js';
import { agents, snapshot } from '../store/hub.js';
import { titles, wantTitles } from '../store/titles.js';
import { stateOf } from '../store/picture.js';
import { AGENT_STATES, State } from '../ui/chip.js';
import { CommandLine } from '../ui/command_line.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { LiveNumber } from '../ui/live_number.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { For } from '../ui/time.js';
import { pages } from '../pages.js';

/** @typedef {import('../store/hub.js').Agent} Agent */

const NEED = [...AGENT_STATES.keys()];
/** A fleet may be of ten thousand; those that need somebody come first. */
const SHOWN = 200;
const TAGS_SHOWN = 4;
const TAG_MAX = 32;
const NAME_MAX = 60;

const COLUMNS = [
  { id: 'agent', text: 'Agent' },
  { id: 'state', text: 'State' },
  { id: 'task', text: 'Works at' },
  { id: 'since', text: 'For' },
  { id: 'tags', text: 'Capabilities' },
];

export function Agents() {
  const sorted = useSorted(agents.value);
  const held = useHeld(sorted, (agent) => agent.agent_id);
  const more = agents.value.length - sorted.length;
  const number = agents.value.length;
  useEffect(() => wantTitles(agents.value.flatMap((agent) => agent.current_task_id ?? [])));
  const aside = html`<span class="count"><${LiveNumber} text=${number > 0 ? count(number) : ''} /></span><${Summary} list=${agents.value} /><${Newer} held=${held} noun="agents" />`;
  return html`
    <${Panel} title="Agents" area="agents" aside=${aside}>
      ${snapshot.value === null
        ? html`<${Skeleton} />`
        : held.rows.length === 0
          ? html`<${NoAgents} />`
          : html`<${Table} name="agents" label="Agents" columns=${COLUMNS} held=${held} row=${agentRow} />`}
      ${more > 0 && html`<p class="panel-foot">The ${count(sorted.length)} that most need somebody, of ${count(number)}.</p>`}
    <//>
  `;
}

/**
 * Sorted anew only when the agents changed.
 * @param {Agent[]} list
 */
function useSorted(list) {
  const kept = useRef({ list: /** @type {Agent[]} */ ([]), sorted: /** @type {Agent[]} */ ([]) });
  if (kept.current.list !== list) kept.current = { list, sorted: [...list].sort(byNeed).slice(0, SHOWN) };
  return kept.current.sorted;
}

/**
 * @param {Agent} a
 * @param {Agent} b
 */
function byNeed(a, b) {
  const rank = (/** @type {Agent} */ agent) => (NEED.indexOf(stateOf(agent)) + NEED.length + 1) % (NEED.length + 1);
  return rank(a) - rank(b) || a.name.localeCompare(b.name) || a.agent_id.localeCompare(b.agent_id);
}

/** @param {Agent} agent */
function agentRow(agent) {
  const state = stateOf(agent);
  const task = agent.current_task_id;
  return {
    attributes: { 'data-testid': 'agent-row', 'data-agent-id': agent.agent_id, 'data-state': state },
    cells: [
      html`<${Name} agent=${agent} />`,
      html`<${State} looks=${AGENT_STATES} state=${state} />${agent.raw.mode && agent.raw.mode !== 'active' && html` <span class="tag">${foreignText(agent.raw.mode, 20)}</span>`}`,
      task ? html`<${CurrentTask} id=${task} />` : html`<span class="quiet">–</span>`,
      html`<${For} at=${agent.last_state_change} />`,
      html`<${Tags} names=${agent.capabilities} />`,
    ],
  };
}

/**
 * How many are in each state, in the order of need.
 * @param {{list: Agent[]}} props
 */
function Summary({ list }) {
  const counts = new Map(NEED.map((state) => [state, 0]));
  for (const agent of list) counts.set(stateOf(agent), (counts.get(stateOf(agent)) ?? 0) + 1);
  return html`
    <span class="summary">
      ${[...counts].map(([state, number]) => {
        const look = AGENT_STATES.get(state) ?? { word: foreignText(state, 40), symbol: 'unknown', tone: 'idle' };
        return number > 0 && html`<span key=${state} class=${`tone-${look.tone}`}><${Icon} name=${look.symbol} />${look.word} ${count(number)}</span>`;
      })}
    </span>
  `;
}

/** @param {{agent: Agent}} props */
function Name({ agent }) {
  const name = html`<bdi class="strong" title=${foreignText(agent.name)}>${foreignText(agent.name, NAME_MAX)}</bdi>`;
  const hasPage = pages.some(({ path }) => path === '/agents/:id');
  return html`
    ${hasPage ? html`<a href=${agentAddress(agent.agent_id)}>${name}</a>` : name}
    ${agent.agent_id !== agent.name && html` <bdi class="quiet small" title=${agent.agent_id}>${foreignText(shortId(agent.agent_id), NAME_MAX)}</bdi>`}
  `;
}

/** @param {{id: string}} props */
function CurrentTask({ id }) {
  const title = titles.value.get(id);
  return html`<a class="one-line" href=${taskAddress(id)} title=${title ? `${foreignText(title)} (${id})` : id}>${title ? html`<bdi>${foreignText(title, 120)}</bdi>` : html`<code>${shortId(id)}</code>`}</a>`;
}

/** @param {{names: string[]}} props */
function Tags({ names }) {
  const more = names.length - TAGS_SHOWN;
  const title = foreignText(names.join(', '));
  return html`
    <div class="tags">
      ${names.slice(0, TAGS_SHOWN).map((name) => html`<bdi class="tag" title=${title}>${foreignText(name, TAG_MAX)}</bdi>`)}
      ${more > 0 && html`<span class="tag" title=${title}>+${more}</span>`}
    </div>
  `;
}

/** @type {[string, string][]} */
const WAYS = [
  ['On this machine, with a script of yours that gets each task on its standard input:', 'agentcom agent start --local --name my-agent -- ./my-script.sh'],
  ['On another machine: get a code here (or on the page Agents), and let the agent in with it there:', 'agentcom token enrol'],
  ['', `agentcom agent join ${location.origin} --code CODE --name my-agent -- ./my-script.sh`],
  ['Just to see it work, a job that brings its own agents:', 'agentcom run examples/first-job.toml'],
];

function NoAgents() {
  return html`
    <${Empty} title="No agent is connected." testid="empty-agents">
      <p>An agent is a program that takes tasks from this hub. It appears here by itself. Three ways to have one:</p>
      ${WAYS.map(([words, line]) => html`<div key=${line} class="way">${words && html`<span>${words}</span>`}<${CommandLine} line=${line} /></div>`)}
    <//>
  `;
}
