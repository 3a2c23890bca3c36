// @ts-check
/** Everything that happened to a task, newest first: when, what, and who did it. */

import { LANES } from '../ui/chip.js';
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
  ['moved', { word: 'Moved', symbol: 'queued', tone: 'info' }],
  ['reassigned', { word: 'Reassigned', symbol: 'assigned', tone: 'info' }],
]);

const RETRIED = { word: 'Retried', symbol: 'retry', tone: 'info' };

/** @type {Record<string, string>} */
const WAYS = { page: 'on the page', cli: 'with the command line', api: 'over the API' };

/** @typedef {{event: string, timestamp: number, details: any}} Entry */

/** @param {{entries: Entry[]}} props newest first */
export function TaskHistory({ entries }) {
  return html`
    <${Panel} title="What happened" padded aside=${entries.length >= SHOWN && html`<span class="quiet">the newest ${plural(entries.length, 'entry', 'entries')}</span>`}>
      <ol class="timeline" data-testid="history">
        ${entries.map((entry, place) => {
          const look = isRetry(entry) ? RETRIED : EVENTS.get(entry.event) ?? { word: foreignText(entry.event, 60).replaceAll('_', ' '), symbol: 'dot', tone: 'idle' };
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

/** @param {Entry} entry a dead letter was queued again, by somebody and not by the hub itself */
function isRetry({ event, details }) {
  return event === 'queued' && details?.previous_status === 'dead_letter';
}

/** @param {Entry} entry */
function detailsOf({ event, details }) {
  if (details === null || details === undefined) return '';
  if (typeof details !== 'object') return foreignText(String(details).replaceAll('_', ' '));
  if (event === 'assigned') return `${foreignText(details.agent_id)} (generation ${count(details.generation)})`;
  if (event === 'completed') return details.tokens_used ? `with ${plural(details.tokens_used, 'token')}` : '';
  if (details.by !== undefined) return byHand(event, details);
  const words = Object.entries(details).map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  return foreignText(words.join(', '));
}

/**
 * Who did it and how; of a move also what it was.
 * @param {string} event
 * @param {any} details
 */
function byHand(event, details) {
  const places = event === 'moved' || event === 'reassigned' ? `from ${placeOf(event, details.from)} to ${placeOf(event, details.to)}` : '';
  const who = details.by ? `by ${foreignText(details.by, 60)}` : '';
  const how = details.operation ? `in operation ${foreignText(details.operation, 40)}` : WAYS[details.way] ?? '';
  return [places, who, how].filter(Boolean).join(' ');
}

/**
 * A lane, or an agent.
 * @param {string} event
 * @param {any} place
 */
function placeOf(event, place) {
  if (event === 'moved') return LANES[place] ?? '?';
  return place === null ? 'anybody' : foreignText(place, 60);
}
