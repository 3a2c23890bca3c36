// @ts-check
/**
 * The rows of a task list that can be seen, and no more: the list may have a hundred thousand. It scrolls like any list; what is not here
 * yet is shown as a grey bar until the hub has answered. Rows are selected with a click on their box, with Shift for a range, or with x.
 */

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { taskAddress } from '../base.js';
import { paused, seq } from '../store/hub.js';
import { State, TASK_STATES, laneName } from '../ui/chip.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { Ago, duration } from '../ui/time.js';

const ROW_PX = 34;
const CARD_PX = 84;
const BEYOND = 2;
/** A browser cannot scroll much further; longer lists are scrolled in proportion. */
const HEIGHT_MAX = 12_000_000;
const NEAR_END = 40;
const SETTLE_MS = 80;
const REFRESH_MS = 1500;
const PHONE = '(max-width: 719px)';

/**
 * @typedef {import('../store/task_list.js').Row} Row
 * @typedef {{id: string, text: string, sort?: string, needs?: string, number?: boolean}} Column `sort`: its word in the address;
 *   `needs`: what the filter must say before it can be sorted by
 */

/** @type {Column[]} */
const COLUMNS = [
  { id: 'select', text: 'Select' },
  { id: 'what', text: 'Task' },
  { id: 'status', text: 'State' },
  { id: 'lane', text: 'Lane', sort: 'lane', needs: 'state:queued or state:assigned' },
  { id: 'owner', text: 'Agent' },
  { id: 'tries', text: 'Retries', number: true },
  { id: 'took', text: 'Took', number: true },
  { id: 'created', text: 'Created', sort: 'created', number: true },
  { id: 'ended', text: 'Ended', sort: 'ended', needs: 'state:completed, state:dead_letter or state:cancelled', number: true },
];

/**
 * @param {object} props
 * @param {import('../store/task_list.js').TaskList} props.list
 * @param {string} props.sort
 * @param {(sort: string) => void} props.onSort
 * @param {Set<string>} props.sortable words of `sort` that the filter allows
 * @param {ReadonlySet<string>} props.selected
 * @param {(ids: string[], isOn: boolean) => void} props.onSelect
 * @param {(term: string) => void} props.onTerm a click on a value adds it to the filter
 */
export function TaskGrid({ list, sort, onSort, sortable, selected, onSelect, onTerm }) {
  const region = useRef(/** @type {HTMLElement | null} */ (null));
  const isPhone = useMatch(PHONE);
  const rowPx = isPhone ? CARD_PX : ROW_PX;
  const { first, last, scale, height, scrolled } = useWindow(list, region, rowPx);
  const anchor = useRef(-1);
  const { start } = list.state.value;
  const rows = list.rows;
  useRefresh(list, first, last);

  const pick = (/** @type {number} */ place, /** @type {boolean} */ isOn, /** @type {boolean} */ isRange) => {
    const from = isRange && anchor.current >= 0 ? anchor.current : place;
    const [low, high] = [Math.min(from, place), Math.max(from, place)];
    const ids = rows.slice(Math.max(0, low - start), high - start + 1).map(({ id }) => id);
    anchor.current = place;
    onSelect(ids, isOn);
  };
  const places = Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => first + offset);
  return html`
    <div class="grid-scroller" role="region" aria-label="Tasks" tabindex="0" ref=${region} onScroll=${scrolled} data-testid="task-scroller">
      <div class="task-grid" role="table" aria-label="Tasks" aria-rowcount=${list.length + 1}>
        <div role="rowgroup" class="grid-head">
          <div role="row" class="grid-row" aria-rowindex="1">
            ${COLUMNS.map((column) => html`<${Head} key=${column.id} column=${column} sort=${sort} isPossible=${Boolean(column.sort && sortable.has(column.sort))} onSort=${onSort} />`)}
          </div>
        </div>
        <div role="rowgroup" class="grid-body" style=${{ height: `${height}px` }}>
          ${places.map((place) => {
            const row = rows[place - start];
            const top = scale(place);
            return row
              ? html`<${TaskRow} key=${row.id} row=${row} place=${place} top=${top} isSelected=${selected.has(row.id)} onPick=${pick} onTerm=${onTerm} />`
              : html`<div key=${`empty ${place}`} class="grid-row is-waiting" role="row" aria-rowindex=${place + 2} style=${{ transform: `translateY(${top}px)` }}><span role="cell" class="unseen">Loading</span></div>`;
          })}
        </div>
      </div>
    </div>
  `;
}

/**
 * @param {object} props
 * @param {Row} props.row
 * @param {number} props.place
 * @param {number} props.top
 * @param {boolean} props.isSelected
 * @param {(place: number, isOn: boolean, isRange: boolean) => void} props.onPick
 * @param {(term: string) => void} props.onTerm
 */
function TaskRow({ row, place, top, isSelected, onPick, onTerm }) {
  const title = foreignText(row.title) || shortId(row.id);
  const took = row.status === 'completed' && row.completed_at && row.assigned_at ? duration(row.completed_at - row.assigned_at) : '–';
  const isFinal = row.status !== 'queued' && row.status !== 'assigned';
  const clicked = (/** @type {MouseEvent} */ event) => onPick(place, !isSelected, event.shiftKey);
  return html`
    <div
      class=${`grid-row${row.isGone ? ' gone' : ''}`} role="row" aria-rowindex=${place + 2} aria-selected=${isSelected ? 'true' : 'false'}
      style=${{ transform: `translateY(${top}px)` }} data-testid="task-row" data-task-id=${row.id} data-place=${place}
    >
      <span role="cell" class="col-select"><input type="checkbox" aria-label=${`Select ${title}`} checked=${isSelected} onClick=${clicked} /></span>
      <span role="rowheader" class="col-what"><a href=${taskAddress(row.id)} title=${`${title} (${row.id})`}><bdi>${title}</bdi></a></span>
      <span role="cell" class="col-status"><${State} looks=${TASK_STATES} state=${row.status} /></span>
      <span role="cell" class=${`col-lane lane-${laneName(row.priority)}`}>${laneName(row.priority)}</span>
      <span role="cell" class="col-owner">${row.assigned_to ? html`<button type="button" class="plain" title="Only tasks of this agent" onClick=${() => onTerm(`agent:${row.assigned_to}`)}><bdi>${foreignText(row.assigned_to, 60)}</bdi></button>` : '–'}</span>
      <span role="cell" class="col-tries number">${count(row.retry_count)}/${count(row.max_retries)}</span>
      <span role="cell" class="col-took number">${took}</span>
      <span role="cell" class="col-created number"><${Ago} at=${row.created_at} prefix="Created" /></span>
      <span role="cell" class="col-ended number">${isFinal ? html`<${Ago} at=${row.updated_at} prefix="Ended" />` : '–'}</span>
    </div>
  `;
}

/** @param {{column: Column, sort: string, isPossible: boolean, onSort: (sort: string) => void}} props */
function Head({ column, sort, isPossible, onSort }) {
  const look = `col-${column.id}${column.number ? ' number' : ''}`;
  if (!column.sort) return html`<span role="columnheader" class=${look}>${column.id === 'select' ? html`<span class="unseen">Select</span>` : column.text}</span>`;
  const isDown = sort === `-${column.sort}`;
  const isSorted = isDown || sort === column.sort;
  const other = isSorted ? (isDown ? column.sort : `-${column.sort}`) : column.sort === 'lane' ? 'lane' : `-${column.sort}`;
  const why = isPossible ? '' : `To sort by this, filter by ${column.needs}.`;
  return html`
    <span role="columnheader" class=${look} aria-sort=${isSorted ? (isDown ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="sort" aria-disabled=${isPossible ? null : 'true'} title=${why || null} onClick=${() => isPossible && onSort(other)}>
        ${column.text}${why && html`<span class="unseen">. ${why}</span>`}${isSorted && html`<${Icon} name=${isDown ? 'down' : 'up'} />`}
      </button>
    </span>
  `;
}

/**
 * Which places are seen, and what has to be fetched for them.
 * @param {import('../store/task_list.js').TaskList} list
 * @param {{current: HTMLElement | null}} region
 * @param {number} rowPx
 */
function useWindow(list, region, rowPx) {
  const [view, setView] = useState({ top: 0, height: 600 });
  const timer = useRef(0);
  const length = list.length;
  const full = length * rowPx;
  const height = Math.min(full, HEIGHT_MAX);
  const room = Math.max(1, height - view.height);
  const stretch = full > HEIGHT_MAX ? (full - view.height) / room : 1;
  const seen = Math.floor((view.top * stretch) / rowPx);
  const first = Math.max(0, seen - BEYOND);
  const last = Math.min(length - 1, seen + Math.ceil(view.height / rowPx) + BEYOND);
  const scale = (/** @type {number} */ place) => place * rowPx - view.top * (stretch - 1);

  const scrolled = () => {
    const box = region.current;
    if (box) setView({ top: box.scrollTop, height: box.clientHeight });
  };
  useLayoutEffect(() => {
    scrolled();
    const watcher = new ResizeObserver(scrolled);
    if (region.current) watcher.observe(region.current);
    return () => watcher.disconnect();
  }, []);
  const { pages, start } = list.state.value;
  useEffect(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => fetchFor(list, first, last), SETTLE_MS);
    return () => clearTimeout(timer.current);
  }, [first, last, pages, start]);
  return { first, last, scale, height, scrolled };
}

/**
 * @param {import('../store/task_list.js').TaskList} list
 * @param {number} first
 * @param {number} last
 */
function fetchFor(list, first, last) {
  const { pages, start } = list.state.peek();
  if (pages.length === 0) return;
  const end = start + list.rows.length;
  if (last < start || first >= end) void list.jump(first);
  else if (last >= end - NEAR_END) void list.more('next');
  else if (first < start + NEAR_END && start > 0) void list.more('previous');
}

/**
 * @param {import('../store/task_list.js').TaskList} list
 * @param {number} first
 * @param {number} last
 */
function useRefresh(list, first, last) {
  const seen = useRef({ first, last });
  seen.current = { first, last };
  useEffect(() => {
    let timer = 0;
    const soon = () => {
      if (timer || document.hidden || paused.peek()) return;
      timer = setTimeout(() => {
        timer = 0;
        if (!paused.peek()) void list.refresh(seen.current.first, seen.current.last);
      }, REFRESH_MS);
    };
    const ends = [seq.subscribe(soon), paused.subscribe(soon)];
    document.addEventListener('visibilitychange', soon);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', soon);
      for (const end of ends) end();
    };
  }, []);
}

/** @param {string} query */
function useMatch(query) {
  const [is, set] = useState(matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = () => set(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, [query]);
  return is;
}
