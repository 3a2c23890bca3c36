// @ts-check
/** The groups of dead letters: cause, how many, where and when, the last day as bars, and what became of the last retry. */

import { at, taskAddress, tasksBy } from '../base.js';
import { ACTIONS, deadOf } from '../store/operations.js';
import { LANES } from '../ui/chip.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Table } from '../ui/table.js';
import { count, foreignText, plural } from '../ui/text.js';
import { Ago } from '../ui/time.js';
import { ActionButton } from './bulk_dialog.js';
import { Muted } from './mute_group.js';
import { becameOf } from './operation_progress.js';

/** @typedef {import('../store/operations.js').Group} Group */

const REASONS = new Map([
  ['failed', 'The agent said that it failed'],
  ['unfinished', 'Handed out again and again without an end'],
  ['deadline', 'Its deadline passed'],
]);

const COLUMNS = [
  { id: 'cause', text: 'Cause' },
  { id: 'members', text: 'Tasks', number: true },
  { id: 'where', text: 'Lanes and agents' },
  { id: 'seen', text: 'Last, first' },
  { id: 'day', text: 'Last 24 h' },
  { id: 'action', text: 'Action' },
];

const AGENTS_NAMED = 3;

/**
 * @param {object} props
 * @param {Group[]} props.groups
 * @param {string} props.view
 * @param {(action: import('../store/operations.js').Action, query: string) => void} props.onAct
 * @param {(group: Group) => void} props.onMute
 * @param {() => void} props.reload
 */
export function DeadGroups({ groups, view, onAct, onMute, reload }) {
  const held = useHeld(groups, (group) => group.id, view);
  return html`
    <${Newer} held=${held} noun="groups" />
    <${Table} name="groups" label="Groups of dead letters" columns=${COLUMNS} held=${held} row=${(/** @type {Group} */ group) => groupRow(group, { onAct, onMute, reload })} />
  `;
}

/** @typedef {{onAct: (action: import('../store/operations.js').Action, query: string) => void, onMute: (group: Group) => void, reload: () => void}} Acts */

/**
 * @param {Group} group
 * @param {Acts} acts
 */
function groupRow(group, acts) {
  return {
    attributes: { 'data-testid': 'dead-group', 'data-group': group.id },
    cells: [
      html`<${Cause} group=${group} reload=${acts.reload} />`,
      group.count > 0 ? html`<a class="group-count" href=${at(tasksBy(deadOf(group.id)))} aria-label=${`${plural(group.count, 'task')}, show them`}>${count(group.count)}</a>` : '0',
      html`<${Where} group=${group} />`,
      html`<span class="stack tight"><${Ago} at=${group.last_at} prefix="Last" /><span class="quiet small"><${Ago} at=${group.first_at} prefix="First" /></span></span>`,
      html`<${Day} hours=${group.hours} />`,
      html`<${Buttons} group=${group} acts=${acts} />`,
    ],
  };
}

/** @param {{group: Group, reload: () => void}} props */
function Cause({ group, reload }) {
  const { last_retry: retry, sample } = group;
  return html`
    <span class="stack tight">
      <bdi class="clamp strong error-text" title=${foreignText(group.shape)}>${foreignText(group.shape)}</bdi>
      <span class="quiet small">${REASONS.get(group.reason) ?? foreignText(group.reason, 40)}${sample && html`, for example <a href=${taskAddress(sample.id)}><bdi>${foreignText(sample.title, 60)}</bdi></a>`}</span>
      <${Muted} group=${group} onDone=${reload} />
      ${retry && html`<span class="small retried" data-testid="last-retry">${count(retry.done)} ${ACTIONS.retry.past} <${Ago} at=${retry.made_at} prefix="Retried" />. ${becameOf(retry.outcome)}</span>`}
      ${group.discarded > 0 && html`<span class="quiet small">${plural(group.discarded, 'task')} of it discarded in the last 24 h</span>`}
    </span>
  `;
}

/** @param {{group: Group}} props */
function Where({ group }) {
  const lanes = LANES.filter((_, lane) => (group.by_lane[lane] ?? 0) > 0).map((name, at) => html`${at > 0 ? ', ' : ''}<span class=${`lane-${name}`}>${name} ${count(group.by_lane[LANES.indexOf(name)])}</span>`);
  const more = group.agents.length - AGENTS_NAMED;
  const agents = group.agents.slice(0, AGENTS_NAMED).map((name) => foreignText(name, 30)).join(', ');
  return html`<span class="stack tight"><span class="small">${lanes}</span><bdi class="quiet small clamp">${agents}${more > 0 ? ` and ${count(more)} more` : ''}</bdi></span>`;
}

/** @param {{hours: number[]}} props */
function Day({ hours }) {
  const most = Math.max(1, ...hours);
  const sum = hours.reduce((all, one) => all + one, 0);
  return html`
    <svg class="day-bars" viewBox="0 0 96 24" role="img" aria-label=${`${count(sum)} in the last 24 hours, at most ${count(Math.max(0, ...hours))} in one`}>
      ${hours.map((died, hour) => html`<rect key=${hour} x=${hour * 4} y=${24 - Math.max(1, (22 * died) / most)} width="3" height=${Math.max(1, (22 * died) / most)} class=${died ? '' : 'is-none'} />`)}
    </svg>
  `;
}

/** @param {{group: Group, acts: Acts}} props */
function Buttons({ group, acts: { onAct, onMute } }) {
  const name = foreignText(group.shape, 60);
  const dead = deadOf(group.id);
  return html`
    <span class="buttons">
      ${group.count > 0 && html`
        <${ActionButton} action="retry" label=${`Retry: ${name}`} onPress=${() => onAct('retry', dead)} />
        <${ActionButton} action="discard" label=${`Discard: ${name}`} onPress=${() => onAct('discard', dead)} />
        ${!group.muted && html`<button type="button" aria-label=${`Mute: ${name}`} onClick=${() => onMute(group)}>Mute…</button>`}
      `}
      ${group.discarded > 0 && html`<${ActionButton} action="recover" label=${`Recover: ${name}`} onPress=${() => onAct('recover', `group:${group.id} state:discarded`)} />`}
    </span>
  `;
}
