// @ts-check
/** The audit log: every change by a person or a program with rights, read page by page; the filters stand in the address. */

import { useEffect, useRef } from 'preact/hooks';
import { agentAddress, taskAddress } from '../base.js';
import { setQuery } from '../router.js';
import { useResource } from '../store/resource.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { Table } from '../ui/table.js';
import { count, foreignText, shortId } from '../ui/text.js';
import { Ago, absolute, isTime } from '../ui/time.js';

/**
 * @typedef {{seq: number, at: number, actor: string, role: string, way: string, action: string, target: string | null,
 *   outcome: string, details: Record<string, any>}} AuditEntry
 */

const PAGE = 100;
const TYPING_MS = 250;
const FIELDS = ['actor', 'action', 'target'];

/** @type {Record<string, string>} */
const WAYS = { page: 'Page', cli: 'Command line', api: 'API' };

const COLUMNS = [
  { id: 'when', text: 'When' },
  { id: 'who', text: 'Who' },
  { id: 'way', text: 'By' },
  { id: 'action', text: 'Action' },
  { id: 'target', text: 'Target' },
  { id: 'details', text: 'Before and after' },
  { id: 'outcome', text: 'Outcome' },
];

/** @type {AuditEntry[]} */
const NONE = [];

/** @param {{query: URLSearchParams}} props */
export function AuditLog({ query }) {
  const { data, problem, path, isLoading } = useResource(pathOf(query), { everyMs: 3000 });
  const entries = /** @type {AuditEntry[]} */ (problem?.status === 422 ? NONE : (data?.entries ?? NONE));
  const held = useHeld(entries, (entry) => String(entry.seq), path);
  const aside = html`<span class="count">${data ? `${count(entries.length)} shown` : ''}</span><${Newer} held=${held} noun="entries" />`;
  const next = data?.next_cursor;
  return html`
    <${Filters} query=${query} />
    ${problem && html`<p class="banner tone-warning" role="status">${problem.detail}</p>`}
    <${Panel} title="Audit log" area="audit" aside=${aside}>
      ${isLoading && !data
        ? html`<${Skeleton} rows=${8} />`
        : held.rows.length === 0
          ? html`<${Empty} title="No entry fits." testid="empty-audit"><p>Every change by a person or a program with rights is written down here.</p><//>`
          : html`<${Table} name="audit" label="Audit log" columns=${COLUMNS} held=${held} row=${auditRow} />`}
    <//>
    <nav class="pager" aria-label="Pages of the log">
      ${query.has('cursor') && html`<button type="button" onClick=${() => change(query, 'cursor', '')}>Newest</button>`}
      ${next && html`<button type="button" data-testid="next-page" onClick=${() => change(query, 'cursor', next)}>Older</button>`}
    </nav>
  `;
}

/** @param {URLSearchParams} query */
function pathOf(query) {
  const wanted = new URLSearchParams({ limit: String(PAGE) });
  for (const name of [...FIELDS, 'way', 'cursor']) {
    const value = query.get(name);
    if (value) wanted.set(name, value);
  }
  return `/api/dashboard/audit?${wanted}`;
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @param {string} value
 */
function change(query, name, value) {
  const wanted = new URLSearchParams(query);
  if (name !== 'cursor') wanted.delete('cursor');
  if (value) wanted.set(name, value);
  else wanted.delete(name);
  if (wanted.toString() !== query.toString()) setQuery(wanted);
}

/** @param {{query: URLSearchParams}} props */
function Filters({ query }) {
  return html`
    <form class="filters" role="search" aria-label="Filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <${Field} query=${query} name="actor" label="Who" />
      <${Field} query=${query} name="action" label="Action" />
      <${Field} query=${query} name="target" label="Target" />
      <label>By<select value=${query.get('way') ?? ''} onChange=${(/** @type {any} */ event) => change(query, 'way', event.target.value)}>
        <option value="">Any way</option>
        ${Object.entries(WAYS).map(([way, word]) => html`<option key=${way} value=${way}>${word}</option>`)}
      </select></label>
    </form>
  `;
}

/** @param {{query: URLSearchParams, name: string, label: string}} props */
function Field({ query, name, label }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const timer = useRef(0);
  const value = query.get(name) ?? '';
  useEffect(() => {
    if (field.current && field.current !== document.activeElement) field.current.value = value;
  }, [value]);
  const typed = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => change(query, name, field.current?.value.trim() ?? ''), TYPING_MS);
  };
  return html`<label>${label}<input ref=${field} name=${name} type="search" autocomplete="off" spellcheck=${false} maxlength="128" onInput=${typed} /></label>`;
}

/** @param {AuditEntry} entry */
function auditRow(entry) {
  const isDone = entry.outcome === 'ok';
  return {
    attributes: { 'data-testid': 'audit-row', 'data-action': entry.action, 'data-way': entry.way },
    cells: [
      html`<${Ago} at=${entry.at} />`,
      html`<bdi class="strong">${foreignText(entry.actor, 60)}</bdi> <span class="quiet small">${entry.role}</span>`,
      WAYS[entry.way] ?? entry.way,
      html`<code>${entry.action}</code>`,
      html`<${Target} entry=${entry} />`,
      html`<${Details} details=${entry.details} />`,
      html`<span class=${isDone ? 'quiet' : 'tone-warning'}>${isDone ? 'Done' : entry.outcome.replaceAll('_', ' ')}</span>`,
    ],
  };
}

/** @param {{entry: AuditEntry}} props */
function Target({ entry }) {
  const target = entry.target;
  if (!target) return html`<span class="quiet">–</span>`;
  if (entry.action.startsWith('task.') && target.startsWith('task-')) return html`<a href=${taskAddress(target)}><code title=${target}>${shortId(target)}</code></a>`;
  if (entry.action.startsWith('agent.')) return html`<a href=${agentAddress(target)}><bdi>${foreignText(target, 60)}</bdi></a>`;
  return html`<bdi>${foreignText(target, 60)}</bdi>`;
}

/** @param {{details: Record<string, any>}} props */
function Details({ details }) {
  const { before, after, ...more } = details ?? {};
  const words = Object.entries(more).filter(([, value]) => value !== null).map(([name, value]) => `${name.replaceAll('_', ' ')}: ${name.endsWith('_at') && isTime(value) ? absolute(value) : text(value)}`);
  const changed = before !== undefined || after !== undefined ? [`${text(before)} → ${text(after)}`] : [];
  const line = [...changed, ...words].join(', ');
  return line ? html`<bdi class="one-line" title=${line}>${foreignText(line, 160)}</bdi>` : html`<span class="quiet">–</span>`;
}

/** @param {unknown} value */
function text(value) {
  if (value === null || value === undefined) return 'none';
  return foreignText(typeof value === 'object' ? JSON.stringify(value) : value, 80);
}
