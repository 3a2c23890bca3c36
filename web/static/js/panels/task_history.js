// @ts-check
/** Everything that happened to a task, newest first: when, what, and who did it. */

import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { count, foreignText, plural } from '../ui/text.js';
import { Ago } from '../ui/time.js';

/** The hub shows no more entries of one task than this. */
const SHOWN = 50;

/** @type {Map<string, {word: string, symbol: string, tone: string}>} */
const EVENTS = new Map([
  ['queued', { word: 'Queued', symbol: 'queued', tone: 'idle' }],
  ['assigned', { word: 'Given to', symbol: 'assigned', tone: 'info' }],
  ['completed', { word: 'Completed', symbol: 'ok', tone: 'ok' }],
  ['retry', { word: 'Failed, queued again', symbol: 'retry', tone: 'warning' }],
  ['reclaimed', { word: 'Taken back', symbol: 'retry', tone: 'warning' }],
  ['dead_letter', { word: 'Became a dead letter', symbol: 'critical', tone: 'critical' }],
  ['cancelled', { word: 'Cancelled', symbol: 'cancelled', tone: 'idle' }],
  ['discarded', { word: 'Discarded', symbol: 'cancelled', tone: 'idle' }],
  ['recovered', { word: 'Taken back among the dead letters', symbol: 'retry', tone: 'warning' }],
]);

/** @typedef {{event: string, timestamp: number, details: any}} Entry */

/** @param {{entries: Entry[]}} props newest first */
export function TaskHistory({ entries }) {
  return html`
    <${Panel} title="What happened" padded aside=${entries.length >= SHOWN && html`<span class="quiet">the newest ${plural(entries.length, 'entry', 'entries')}</span>`}>
      <ol class="timeline" data-testid="history">
        ${entries.map((entry, place) => {
          const look = EVENTS.get(entry.event) ?? { word: foreignText(entry.event, 60).replaceAll('_', ' '), symbol: 'dot', tone: 'idle' };
          return html`
            <li key=${entries.length - place}>
              <${Ago} at=${entry.timestamp} /><${Icon} name=${look.symbol} tone=${look.tone} />
              <div><span class="strong">${look.word}</span> <bdi>${detailsOf(entry)}</bdi></div>
            </li>
          `;
        })}
      </ol>
    <//>
  `;
}

/** @param {Entry} entry */
function detailsOf({ event, details }) {
  if (details === null || details === undefined) return '';
  if (typeof details !== 'object') return foreignText(String(details).replaceAll('_', ' '));
  if (event === 'assigned') return `${foreignText(details.agent_id)} (generation ${count(details.generation)})`;
  if (event === 'completed') return details.tokens_used ? `with ${plural(details.tokens_used, 'token')}` : '';
  if (details.by !== undefined && Object.keys(details).every((name) => name === 'by' || name === 'previous_status')) return details.by ? `by ${foreignText(details.by)}` : '';
  const words = Object.entries(details).map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  return foreignText(words.join(', '));
}
