// @ts-check
/** What happened lately, in plain words, newest first. */

import { useEffect } from 'preact/hooks';
import { taskAddress } from '../base.js';
import { activity, snapshot } from '../store/hub.js';
import { wantTitles } from '../store/titles.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { Newer, useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { Ago } from '../ui/time.js';
import { sentenceOf } from './sentences.js';

/** @typedef {import('../store/hub.js').Entry} Entry */

/** The page Activity has more. */
const SHOWN = 50;

export function Activity() {
  const held = useHeld(activity.value.slice(0, SHOWN), (entry) => entry.key);
  useEffect(() => wantTitles(held.rows.flatMap(({ item }) => item.task_id || [])));
  return html`
    <${Panel} title="Activity" area="activity" aside=${html`<${Newer} held=${held} noun="events" />`}>
      ${snapshot.value === null ? html`<${Skeleton} />` : held.rows.length === 0 ? html`<${Quiet} />` : html`<${List} held=${held} />`}
    <//>
  `;
}

/** @param {{held: import('../ui/held.js').Held<Entry>}} props */
function List({ held }) {
  return html`
    <div class="scroller" role="region" aria-label="Activity" tabindex="0" ref=${held.region} ...${held.watching}>
      <ol class="activity" aria-label="Activity, newest first">${held.rows.map(({ key, item }) => html`<${Row} key=${key} entry=${item} />`)}</ol>
    </div>
  `;
}

/** @param {{entry: Entry}} props */
function Row({ entry }) {
  const { symbol, tone, subject, title, words, agent } = sentenceOf(entry);
  const name = html`<bdi class=${entry.task_id ? 'strong one-line' : 'strong'} title=${title}>${subject}</bdi>`;
  return html`
    <li data-testid="activity-row" data-event=${entry.event || entry.type}>
      <${Icon} name=${symbol} tone=${tone} />
      <span>${entry.task_id ? html`<a class="plain-link" href=${taskAddress(entry.task_id)}>${name}</a>` : name} ${words} <bdi class="strong">${agent}</bdi></span>
      <${Ago} at=${entry.timestamp} />
    </li>
  `;
}

function Quiet() {
  return html`<${Empty} title="Quiet so far." testid="empty-activity"><p>Tasks and agents that change from now on are listed here.</p><//>`;
}
