// @ts-check
/**
 * Every task, found by the hub. The address holds the filter and the order, so that a list can be kept, sent and gone back to. What is
 * selected, or all that matches, can be acted on together.
 */

import { useEffect, useMemo, useState } from 'preact/hooks';
import { ActionButton, BulkDialog } from '../panels/bulk_dialog.js';
import { FilterBar } from '../panels/filter_bar.js';
import { Operations } from '../panels/operation_progress.js';
import { TaskGrid } from '../panels/task_grid.js';
import { ViewsBar } from '../panels/views_bar.js';
import { setQuery } from '../router.js';
import { useKeys } from '../shell/keys.js';
import { filterOf, termsOf } from '../store/filter_text.js';
import { TaskList } from '../store/task_list.js';
import { CommandLine } from '../ui/command_line.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { FileLink } from '../ui/file_link.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { count, foreignText, plural } from '../ui/text.js';
import { momentOf } from '../ui/time.js';

/**
 * A task as the API shows it.
 * @typedef {{id: string, status: string, description: string, priority: number, assigned_to: string | null, generation: number,
 *   retry_count: number, max_retries: number, created_at: number, updated_at: number, [field: string]: any}} Task
 */

/** @typedef {import('../store/operations.js').Action} Action */
/** @typedef {import('../store/operations.js').Selection} Selection */

const SORTS = ['-created', 'created', 'lane', '-lane', 'ended', '-ended'];

/** @param {{query: URLSearchParams}} props */
export function Tasks({ query }) {
  const list = useMemo(() => new TaskList(), []);
  const q = filterOf(query);
  const sort = SORTS.includes(query.get('sort') ?? '') ? String(query.get('sort')) : '-created';
  const [selected, setSelected] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const [asked, setAsked] = useState(/** @type {{action: Action, selection: Selection} | null} */ (null));
  useEffect(() => {
    setSelected(new Set());
    void list.open(q, sort);
  }, [q, sort]);

  const show = (/** @type {{q: string, sort?: string}} */ wanted) => setQuery(addressOf(wanted.q, wanted.sort ?? sortFor(wanted.q, sort)));
  const select = (/** @type {string[]} */ ids, /** @type {boolean} */ isOn) => {
    const next = new Set(selected);
    for (const id of ids) isOn ? next.add(id) : next.delete(id);
    setSelected(next);
  };
  useSelectionKeys(list, selected, select, () => setSelected(new Set()));
  const { problem, isLoading, newer } = list.state.value;
  const isRefused = problem?.status === 422;
  const fault = isRefused ? problem.errors.map(({ detail, error }) => detail ?? error).join(' ') : '';
  const act = (/** @type {Action} */ action, /** @type {Selection} */ selection) => setAsked({ action, selection });
  const aside = html`
    <${Total} list=${list} />
    ${newer > 0 && html`<button type="button" class="newer" data-testid="newer" onClick=${() => reopen(list)}>${count(newer)} new</button>`}
    <${TimeJump} list=${list} />
  `;
  return html`
    <${ViewsBar} view=${{ name: '', q, sort }} onOpen=${show} />
    <${FilterBar} q=${q} onChange=${(/** @type {string} */ text) => show({ q: text })} fault=${fault} />
    ${problem && !isRefused && html`<p class="banner tone-warning" role="status">${problem.detail}</p>`}
    <${SelectionBar} list=${list} q=${q} selected=${selected} onAct=${act} onClear=${() => setSelected(new Set())} />
    <${Panel} title="Tasks" area="task-list" aside=${aside}>
      ${isRefused
        ? html`<${Empty} title="The hub does not understand this filter." testid="empty-tasks"><p>${foreignText(fault)}</p><//>`
        : isLoading
          ? html`<${Skeleton} rows=${12} />`
          : list.length === 0
            ? html`<${NoTasks} q=${q} onShow=${show} />`
            : html`<${TaskGrid} key=${`${q} ${sort}`} list=${list} sort=${sort} sortable=${sortsOf(q)} selected=${selected} onSelect=${select}
                onSort=${(/** @type {string} */ by) => show({ q, sort: by })} onTerm=${(/** @type {string} */ term) => show({ q: added(q, term) })} />`}
    <//>
    <${Operations} />
    ${asked && html`<${BulkDialog} ...${asked} onClose=${() => setAsked(null)} />`}
  `;
}

/**
 * @param {string} q
 * @param {string} sort
 */
function addressOf(q, sort) {
  /** @type {Record<string, string>} */
  const words = {};
  if (q) words.q = q;
  if (sort !== '-created') words.sort = sort;
  return words;
}

/**
 * @param {string} q
 * @param {string} term
 */
function added(q, term) {
  return termsOf(q).includes(term) ? q : `${q} ${term}`.trim();
}

/**
 * The orders that an index has for a filter: by lane what waits or runs, by its end what has one.
 * @param {string} q
 * @returns {Set<string>} without their signs
 */
function sortsOf(q) {
  const named = termsOf(q).filter((term) => term.startsWith('state:')).flatMap((term) => term.slice(6).split(','));
  const open = ['queued', 'assigned', 'waiting', 'working', 'running'];
  const found = new Set(['created']);
  if (named.length > 0 && named.every((state) => open.includes(state))) found.add('lane');
  if (named.length > 0 && named.every((state) => !open.includes(state))) found.add('ended');
  return found;
}

/**
 * The present order, where another filter still has it.
 * @param {string} q
 * @param {string} sort
 */
function sortFor(q, sort) {
  return sortsOf(q).has(sort.replace('-', '')) ? sort : '-created';
}

/** @param {TaskList} list */
function reopen(list) {
  document.querySelector('.grid-scroller')?.scrollTo({ top: 0 });
  void list.open(list.question.q, list.question.sort);
}

/** @param {{list: TaskList}} props */
function Total({ list }) {
  const { total, isLoading, stopped } = list.state.value;
  const [isCounting, setCounting] = useState(false);
  if (!total || isLoading) return null;
  const press = async () => {
    setCounting(true);
    await list.countExactly().catch(() => {});
    setCounting(false);
  };
  const words = total.is_exact ? plural(total.count, 'task') : total.count > 0 ? `${count(total.count)}+ tasks` : 'None found yet';
  return html`
    <span class="count" role="status" data-testid="total">${words}${stopped && !total.is_exact ? ' in what was searched' : ''}</span>
    ${!total.is_exact && html`<button type="button" aria-disabled=${isCounting ? 'true' : null} onClick=${() => !isCounting && press()}>${isCounting ? 'Counting …' : 'Count exactly'}</button>`}
    ${stopped && list.rows.length < 100 && html`<button type="button" onClick=${() => list.more('next')}>Search older tasks</button>`}
  `;
}

/** @param {{list: TaskList}} props */
function TimeJump({ list }) {
  if (!list.canJump) return null;
  const chosen = (/** @type {Event} */ event) => {
    const at = momentOf(/** @type {HTMLInputElement} */ (event.target).value);
    if (Number.isFinite(at)) void list.jumpTo(at).then(() => showStart(list));
  };
  return html`<label class="jump small">Go to <input type="datetime-local" aria-label="Go to tasks of a time" onChange=${chosen} /></label>`;
}

/** @param {TaskList} list */
function showStart(list) {
  const row = document.querySelector('.grid-scroller .grid-body .grid-row');
  const height = row instanceof HTMLElement ? row.offsetHeight : 34;
  document.querySelector('.grid-scroller')?.scrollTo({ top: list.state.peek().start * height });
}

/**
 * @param {object} props
 * @param {TaskList} props.list
 * @param {string} props.q
 * @param {ReadonlySet<string>} props.selected
 * @param {(action: Action, selection: Selection) => void} props.onAct
 * @param {() => void} props.onClear
 */
function SelectionBar({ list, q, selected, onAct, onClear }) {
  const [isAll, setAll] = useState(false);
  useEffect(() => setAll(false), [selected]);
  if (selected.size === 0) return null;
  const { total } = list.state.value;
  const all = total ? `${count(total.count)}${total.is_exact ? '' : '+'}` : '';
  const selection = isAll ? { query: q } : { ids: [...selected] };
  return html`
    <div class="selection-bar" role="region" aria-label="Selection" data-testid="selection-bar">
      <strong role="status">${isAll ? `All ${all} that match` : `${count(selected.size)} selected`}</strong>
      ${!isAll && html`<button type="button" data-testid="select-all" onClick=${() => setAll(true)}>Select all ${all} that match</button>`}
      <span class="buttons">
        ${/** @type {Action[]} */ (['retry', 'cancel', 'lane', 'reassign', 'discard', 'recover']).map((action) => html`<${ActionButton} key=${action} action=${action} onPress=${() => onAct(action, selection)} />`)}
      </span>
      <${Export} selection=${isAll ? q : idsFilter(selected)} />
      <button type="button" class="plain" onClick=${onClear}>Clear the selection</button>
    </div>
  `;
}

/** As many as an address can name. */
const EXPORTED_BY_ID = 80;

/**
 * @param {ReadonlySet<string>} selected
 * @returns {string | null} null: too many for an address
 */
function idsFilter(selected) {
  return selected.size > EXPORTED_BY_ID ? null : `id:${[...selected].join(',')}`;
}

/** @param {{selection: string | null}} props the filter of what is to be in the file */
function Export({ selection }) {
  if (selection === null) return html`<span class="quiet small">A file is of at most ${EXPORTED_BY_ID} selected tasks, or of all that match.</span>`;
  const path = (/** @type {string} */ format) => `/api/dashboard/tasks/export?${new URLSearchParams({ q: selection, format })}`;
  return html`
    <span class="buttons" role="group" aria-label="Export" data-testid="export">
      <${FileLink} path=${path('jsonl')} name="tasks.jsonl">Export JSON<//>
      <${FileLink} path=${path('csv')} name="tasks.csv">Export CSV<//>
    </span>
  `;
}

/**
 * x selects the row that has the focus, X as far as to it.
 * @param {TaskList} list
 * @param {ReadonlySet<string>} selected
 * @param {(ids: string[], isOn: boolean) => void} select
 * @param {() => void} clear
 */
function useSelectionKeys(list, selected, select, clear) {
  const [anchor, setAnchor] = useState('');
  const focused = () => document.activeElement?.closest('[data-task-id]')?.getAttribute('data-task-id') ?? '';
  const step = (/** @type {number} */ by) => {
    const rows = [...document.querySelectorAll('.grid-body [data-task-id]')];
    rows.sort((a, b) => Number(a.getAttribute('data-place')) - Number(b.getAttribute('data-place')));
    const now = rows.findIndex((row) => row.contains(document.activeElement));
    const next = rows[now < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, now + by))];
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector('a[href]'))?.focus();
  };
  useKeys([
    { key: 'j', what: 'Next row; Enter opens it', run: () => step(1) },
    { key: 'k', what: 'Row before', run: () => step(-1) },
    {
      key: 'x',
      what: 'Select the row',
      run: () => {
        const id = focused();
        if (!id) return;
        setAnchor(id);
        select([id], !selected.has(id));
      },
    },
    {
      key: 'X',
      what: 'Select as far as the row',
      run: () => {
        const ids = list.rows.map(({ id }) => id);
        const [from, to] = [ids.indexOf(anchor), ids.indexOf(focused())];
        if (from >= 0 && to >= 0) select(ids.slice(Math.min(from, to), Math.max(from, to) + 1), true);
      },
    },
    { key: 'Escape', what: '', run: () => selected.size > 0 && clear() },
  ]);
}

/** @param {{q: string, onShow: (wanted: {q: string}) => void}} props */
function NoTasks({ q, onShow }) {
  if (!q) return html`<${Empty} title="There are no tasks yet." testid="empty-tasks"><p>Submit one:</p><${CommandLine} line='agentcom task submit "Say hello"' /><//>`;
  const wider = termsOf(q).slice(0, -1).join(' ');
  return html`
    <${Empty} title="No task matches this filter." testid="empty-tasks">
      <p class="buttons"><button type="button" onClick=${() => onShow({ q: '' })}>Clear the filter</button>
        ${wider && html`<button type="button" onClick=${() => onShow({ q: wider })}>Leave out <code>${foreignText(termsOf(q).at(-1), 40)}</code></button>`}</p>
    <//>
  `;
}
