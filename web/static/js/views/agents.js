// @ts-check
/** The agents, those that need somebody first. */

import { el, count, foreignText, setAttribute, setText, shortId } from '../ui/dom.js';
import { commandLine } from '../ui/dialog.js';
import { HeldRows, cell, headerCell, tableRegion } from '../ui/rows.js';
import { icon, setIcon } from '../ui/icons.js';
import { taskAddress } from '../ui/tasks.js';
import { relativeTime, setRelativeTime } from '../ui/time.js';

/** @typedef {import('../store.js').Agent} Agent */

/** In the order of need. */
const STATES = new Map([
  ['offline', { word: 'Offline', symbol: 'offline', tone: 'critical' }],
  ['unresponsive', { word: 'Unresponsive', symbol: 'warning', tone: 'warning' }],
  ['blocked', { word: 'Blocked', symbol: 'blocked', tone: 'warning' }],
  ['assigned', { word: 'Assigned', symbol: 'assigned', tone: 'info' }],
  ['working', { word: 'Working', symbol: 'working', tone: 'info' }],
  ['idle', { word: 'Idle', symbol: 'idle', tone: 'idle' }],
]);
const NEED = [...STATES.keys()];
const TAGS_SHOWN = 6;
const TAG_MAX = 32;
const NAME_MAX = 60;

/**
 * @param {HTMLElement} slot
 * @returns {(state: import('../store.js').State) => void}
 */
export function agentsView(slot) {
  const head = /** @type {HTMLElement} */ (slot.previousElementSibling);
  const number = el('span', { class: 'count live-number' });
  head.append(number);
  const { region, list } = tableRegion('Agents', [
    { text: 'Agent', className: 'col-agent' },
    { text: 'State', className: 'col-state' },
    { text: 'Task', className: 'col-task' },
    { text: 'In this state', className: 'col-since' },
    { text: 'Capabilities', className: 'col-tags' },
  ]);
  const empty = emptyState();
  slot.append(empty, region);
  const key = (/** @type {Agent} */ agent) => agent.agent_id;
  const rows = new HeldRows({ region, list, head, empty, noun: 'agents', key, build: agentRow, markGone: true });

  return (state) => {
    rows.set([...state.agents].sort(byNeed), state.snapshot !== null);
    setText(number, state.agents.length > 0 ? count(state.agents.length) : '');
  };
}

/** @param {Agent} agent */
function stateOf(agent) {
  if (agent.fsm_state !== 'offline' && agent.flags.includes('unresponsive')) return 'unresponsive';
  return agent.fsm_state;
}

/**
 * @param {Agent} a
 * @param {Agent} b
 */
function byNeed(a, b) {
  const rank = (/** @type {Agent} */ agent) => (NEED.indexOf(stateOf(agent)) + NEED.length + 1) % (NEED.length + 1);
  return rank(a) - rank(b) || a.name.localeCompare(b.name) || a.agent_id.localeCompare(b.agent_id);
}

function agentRow() {
  const name = el('bdi', { class: 'strong' });
  const id = el('bdi', { class: 'quiet small' });
  const symbol = icon('idle');
  const word = el('span');
  const badge = el('span', { class: 'state' }, symbol, word);
  const task = el('a');
  const since = relativeTime('for');
  const tags = el('div', { class: 'tags' });
  const node = el(
    'tr',
    { role: 'row', 'data-testid': 'agent-row' },
    headerCell('Agent', name, ' ', id),
    cell('State', {}, badge),
    cell('Task', {}, el('code', {}, task)),
    cell('In this state', { class: 'time' }, since),
    cell('Capabilities', {}, tags),
  );

  return {
    node,
    update: (/** @type {Agent} */ agent) => {
      const state = stateOf(agent);
      const look = STATES.get(state) ?? { word: foreignText(state), symbol: 'unknown', tone: 'idle' };
      setAttribute(node, 'data-agent-id', agent.agent_id);
      setAttribute(node, 'data-state', state);
      setText(name, foreignText(agent.name, NAME_MAX));
      setAttribute(name, 'title', foreignText(agent.name));
      setText(id, agent.agent_id === agent.name ? '' : foreignText(shortId(agent.agent_id), NAME_MAX));
      setAttribute(id, 'title', agent.agent_id);
      setAttribute(badge, 'class', `state tone-${look.tone}`);
      setIcon(symbol, look.symbol);
      setText(word, look.word);
      setText(task, agent.current_task_id ? shortId(agent.current_task_id) : '–');
      setAttribute(task, 'title', agent.current_task_id);
      setAttribute(task, 'href', agent.current_task_id ? taskAddress(agent.current_task_id) : null);
      setRelativeTime(since, agent.last_state_change, 'Since');
      showTags(tags, agent.capabilities);
    },
  };
}

/**
 * @param {HTMLElement} box
 * @param {string[]} names
 */
function showTags(box, names) {
  const words = names.slice(0, TAGS_SHOWN).map((name) => foreignText(name, TAG_MAX));
  if (names.length > TAGS_SHOWN) words.push(`+${names.length - TAGS_SHOWN}`);
  if (box.children.length === words.length && words.every((word, index) => box.children[index]?.textContent === word)) return;
  box.replaceChildren(...words.map((word) => el('bdi', { class: 'tag', title: foreignText(names.join(', ')) }, word)));
}

function emptyState() {
  return el(
    'div',
    { class: 'empty', hidden: true, 'data-testid': 'empty-agents' },
    el('strong', {}, 'No agent is connected.'),
    el('p', {}, 'An agent is a program that takes tasks from this hub. Start one next to your script; it appears here by itself.'),
    commandLine(`agentcom agent start --hub ${location.origin} --name my-agent -- ./my-script.sh`),
  );
}
