// @ts-check
/** Every event of the fleet as it comes, newest first, narrowed by kind and by words. *Pause* of the top bar holds it still. */

import { useEffect, useState } from 'preact/hooks';
import { taskAddress } from '../base.js';
import { setQuery } from '../router.js';
import { activity, snapshot } from '../store/hub.js';
import { titles, wantTitles } from '../store/titles.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { plural } from '../ui/text.js';
import { Ago } from '../ui/time.js';
import { sentenceOf } from './sentences.js';

/** @typedef {import('../store/hub.js').Entry} Entry */

const TROUBLE = new Set(['task_retried', 'task_dead_letter', 'task_reclaimed']);

/** @type {{id: string, word: string, fits: (entry: Entry) => boolean}[]} */
const KINDS = [
  { id: '', word: 'Everything', fits: () => true },
  { id: 'tasks', word: 'Tasks', fits: (entry) => entry.type === 'task_event' },
  { id: 'agents', word: 'Agents', fits: (entry) => entry.type !== 'task_event' },
  { id: 'trouble', word: 'Trouble', fits: (entry) => TROUBLE.has(entry.event) || (entry.type === 'agent_left' && !entry.clean) || entry.type === 'missed' },
];

/** Rows whose tasks are called by their titles; further down, by their ids. */
const TITLED = 100;

/** @param {{query: URLSearchParams}} props */
export function EventStream({ query }) {
  const [words, setWords] = useState(query.get('q') ?? '');
  const kind = KINDS.find(({ id }) => id === query.get('kind')) ?? KINDS[0];
  const wanted = words.trim().toLowerCase();
  const fitting = activity.value.filter((entry) => kind?.fits(entry) && hasWords(entry, wanted));
  const held = useHeld(fitting, (entry) => entry.key, `${kind?.id} ${wanted}`);
  useEffect(() => wantTitles(held.rows.slice(0, TITLED).flatMap(({ item }) => item.task_id || [])));
  const aside = html`<span class="count">${plural(fitting.length, 'event')}</span><${Newer} held=${held} noun="events" />`;
  return html`
    <form class="filters" role="search" aria-label="Filters" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>Kind<select value=${kind?.id} onChange=${(/** @type {any} */ event) => setQuery(event.target.value ? { kind: event.target.value } : {})}>
        ${KINDS.map(({ id, word }) => html`<option key=${id} value=${id}>${word}</option>`)}
      </select></label>
      <label>Task or agent<input type="search" autocomplete="off" spellcheck=${false} value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></label>
    </form>
    <${Panel} title="Live events" area="events" aside=${aside}>
      ${snapshot.value === null
        ? html`<${Skeleton} rows=${8} />`
        : held.rows.length === 0
          ? html`<${Empty} title=${wanted || kind?.id ? 'Nothing that fits has happened lately.' : 'Quiet so far.'} testid="empty-events"><p>Tasks and agents that change from now on are listed here.</p><//>`
          : html`
              <div class="scroller" role="region" aria-label="Live events" tabindex="0" ref=${held.region} ...${held.watching}>
                <ol class="activity" aria-label="Events, newest first">${held.rows.map(({ key, item }) => html`<${Row} key=${key} entry=${item} />`)}</ol>
              </div>
            `}
    <//>
  `;
}

/**
 * @param {Entry} entry
 * @param {string} wanted in lower case
 */
function hasWords(entry, wanted) {
  return !wanted || [entry.task_id, entry.agent_id, entry.name, titles.value.get(entry.task_id) ?? ''].some((text) => text.toLowerCase().includes(wanted));
}

/** @param {{entry: Entry}} props */
function Row({ entry }) {
  const { symbol, tone, subject, title, words, agent } = sentenceOf(entry);
  const name = html`<bdi class="strong" title=${title}>${subject}</bdi>`;
  return html`
    <li data-testid="event-row" data-event=${entry.event || entry.type}>
      <${Icon} name=${symbol} tone=${tone} />
      <span>${entry.task_id ? html`<a class="plain-link" href=${taskAddress(entry.task_id)}>${name}</a>` : name} ${words} <bdi class="strong">${agent}</bdi></span>
      <${Ago} at=${entry.timestamp} />
    </li>
  `;
}
