// @ts-check
/** What failed for good, by cause, the biggest groups first, and the button that gives a whole group another chance. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { at, tasksBy } from '../base.js';
import { pages } from '../pages.js';
import { snapshot } from '../store/hub.js';
import { deadOf } from '../store/operations.js';
import { useResource } from '../store/resource.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, plural } from '../ui/text.js';
import { For } from '../ui/time.js';
import { announce } from '../ui/toast.js';
import { BulkDialog } from './bulk_dialog.js';
import { NoDeadLetters } from './no_dead_letters.js';

/** @typedef {import('../store/operations.js').Group} Group */

const SHOWN = 5;
const EVERY_MS = 10000;

const COLUMNS = [
  { id: 'cause', text: 'Cause' },
  { id: 'members', text: 'Tasks', number: true },
  { id: 'last', text: 'Ago', number: true },
  { id: 'action', text: 'Action' },
];

/** @type {Group[]} */
const NONE = [];

export function DeadLetterGroups() {
  const total = Number(snapshot.value?.dead_letter_total ?? 0);
  const { data, problem, reload } = useResource(`/api/dashboard/dead-letter/groups?sort=size&limit=${SHOWN}`, { everyMs: EVERY_MS, onEvents: false });
  const [chosen, setChosen] = useState(/** @type {Group | null} */ (null));
  useEffect(reload, [total]);
  useSpokenGrowth(total, snapshot.value !== null);
  const groups = /** @type {Group[]} */ (data?.groups.filter((/** @type {Group} */ group) => group.count > 0) ?? NONE);
  const held = useHeld(groups, (group) => group.id);
  const aside = html`<span class="count live-number">${total > 0 ? count(total) : ''}</span><${Newer} held=${held} noun="groups of dead letters" /><${More} />`;
  return html`
    <${Panel} title="Dead letters" area="dead" aside=${aside}>
      ${problem && !data
        ? html`<${Failed} problem=${problem} retry=${reload} />`
        : !data
          ? html`<${Skeleton} />`
          : held.rows.length === 0
            ? html`<${NoDeadLetters} />`
            : html`<${Table} name="causes" label="Dead letters by cause" columns=${COLUMNS} held=${held} row=${(/** @type {Group} */ group) => rowOf(group, setChosen)} />`}
      ${chosen && html`<${BulkDialog} action="retry" selection=${{ query: deadOf(chosen.id) }} onClose=${() => setChosen(null)} />`}
    <//>
  `;
}

/**
 * @param {Group} group
 * @param {(group: Group) => void} choose
 */
function rowOf(group, choose) {
  const cause = foreignText(group.shape) || 'No error was given';
  return {
    attributes: { 'data-testid': 'dead-group', 'data-group': group.id },
    cells: [
      html`
        <bdi class="error-text one-line" title=${cause}>${cause}</bdi>
        <bdi class="quiet small one-line" title=${foreignText(group.sample?.title)}>${foreignText(group.sample?.title, 120)}</bdi>
      `,
      html`<a href=${at(tasksBy(`group:${group.id}`))} aria-label=${`${plural(group.count, 'task')} of this cause`}>${count(group.count)}</a>`,
      html`<${For} at=${group.last_at} prefix="Failed last" />`,
      html`<button type="button" data-testid="retry-group" aria-label=${`Retry the ${plural(group.count, 'task')}: ${cause.slice(0, 80)}`} onClick=${() => choose(group)}><${Icon} name="retry" />Retry</button>`,
    ],
  };
}

/**
 * @param {number} total
 * @param {boolean} isKnown
 */
function useSpokenGrowth(total, isKnown) {
  const before = useRef(-1);
  useEffect(() => {
    if (!isKnown) return;
    if (before.current >= 0 && total > before.current) announce(`${count(total)} dead letters, ${count(total - before.current)} more than before.`);
    before.current = total;
  }, [total, isKnown]);
}

function More() {
  if (!pages.some(({ id }) => id === 'dead')) return null;
  return html`<a class="panel-link" href=${at('/dead')}>All groups</a>`;
}

/** @param {{problem: import('../net/api.js').Problem, retry: () => void}} props */
function Failed({ problem, retry }) {
  return html`<${Empty} title="The groups could not be read."><p>${problem.message}</p><div><button type="button" onClick=${retry}>Try again</button></div><//>`;
}
