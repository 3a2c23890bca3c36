// @ts-check
/** Dead letters by their cause: what keeps failing, since when, and how to give all of it another chance at once. */

import { useState } from 'preact/hooks';
import { at } from '../base.js';
import { ActionButton, BulkDialog } from '../panels/bulk_dialog.js';
import { DeadGroups } from '../panels/dead_groups.js';
import { MuteDialog } from '../panels/mute_group.js';
import { NoDeadLetters } from '../panels/no_dead_letters.js';
import { Operations } from '../panels/operation_progress.js';
import { setQuery } from '../router.js';
import { useResource } from '../store/resource.js';
import { Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { count, plural } from '../ui/text.js';

/** @typedef {{action: import('../store/operations.js').Action, selection: import('../store/operations.js').Selection}} Asked */

/** @param {{query: URLSearchParams}} props */
export function DeadLetters({ query }) {
  const order = query.get('sort') === 'recent' ? 'recent' : 'size';
  const cursor = query.get('cursor');
  const words = new URLSearchParams({ sort: order, ...(cursor ? { cursor } : {}) });
  const { data, problem, path, reload } = useResource(`/api/dashboard/dead-letter/groups?${words}`, { everyMs: 3000 });
  const [muting, setMuting] = useState(/** @type {import('../store/operations.js').Group | null} */ (null));
  const [asked, setAsked] = useState(/** @type {Asked | null} */ (null));
  const act = (/** @type {Asked['action']} */ action, /** @type {string} */ text) => setAsked({ action, selection: { query: text } });
  const total = data?.total ?? 0;
  const aside = html`
    <span class="count" role="status" data-testid="dead-total">${data ? `${plural(total, 'dead letter')} in ${plural(data.groups.filter((/** @type {any} */ one) => one.count > 0).length, 'group')}` : ''}</span>
    <${OrderChoice} order=${order} />
    ${total > 0 && html`<${ActionButton} action="retry" label="Retry all dead letters" onPress=${() => act('retry', 'state:dead_letter')}>Retry all ${count(total)}<//>`}
    <a href=${at('/tasks?q=state:discarded')}>Discarded</a>
  `;
  return html`
    ${problem && html`<p class="banner tone-warning" role="status">${problem.detail}</p>`}
    <${Panel} title="Causes" area="dead-groups" aside=${aside}>
      ${!data
        ? !problem && html`<${Skeleton} rows=${6} />`
        : data.groups.length === 0
          ? html`<${NoDeadLetters} />`
          : html`<${DeadGroups} groups=${data.groups} view=${path} onAct=${act} onMute=${setMuting} reload=${reload} />`}
    <//>
    <nav class="pager" aria-label="Pages of the list">
      ${cursor && html`<button type="button" onClick=${() => setQuery(order === 'recent' ? { sort: order } : {})}>First page</button>`}
      ${data?.next_cursor && html`<button type="button" onClick=${() => setQuery({ sort: order, cursor: data.next_cursor })}>Next page</button>`}
    </nav>
    <${Operations} />
    ${muting && html`<${MuteDialog} group=${muting} onClose=${() => setMuting(null)} onDone=${reload} />`}
    ${asked && html`<${BulkDialog} ...${asked} onClose=${() => setAsked(null)} />`}
  `;
}

/** @param {{order: string}} props */
function OrderChoice({ order }) {
  const chosen = (/** @type {Event} */ event) => {
    const value = /** @type {HTMLSelectElement} */ (event.target).value;
    setQuery(value === 'recent' ? { sort: value } : {});
  };
  return html`<label class="order small">First <select aria-label="Order of the groups" value=${order} onChange=${chosen}><option value="size">the largest</option><option value="recent">the latest</option></select></label>`;
}
