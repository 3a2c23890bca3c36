// @ts-check
/** The row of big numbers. Each says its scope, and leads to the list that it counts. */

import { at, tasksBy } from '../base.js';
import { pages } from '../pages.js';
import { agents, snapshot } from '../store/hub.js';
import { now } from '../ui/clock.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { LiveNumber } from '../ui/live_number.js';
import { compact, count } from '../ui/text.js';
import { isTime, roughly, short } from '../ui/time.js';

/**
 * @typedef {object} Counter
 * @property {string} id end of the test id
 * @property {string} label
 * @property {string} icon
 * @property {(snapshot: any) => number | null | undefined} value
 * @property {(value: number) => string} [words]
 * @property {(snapshot: any) => string} [tone] colour of the icon when it matters
 * @property {string} [note] what the number means, as a title
 * @property {string} [to] the list that it counts
 * @property {(value: number) => string} [changeWords] of the difference to an hour ago; `words` without
 * @property {string} [before] what `hour_ago` of the snapshot calls it
 */

/** @type {Counter[]} */
const COUNTERS = [
  { id: 'queued', label: 'Queued', icon: 'queued', to: tasksBy('state:queued'), before: 'queued', value: ({ queue }) => queue?.by_status?.queued },
  {
    ...{ id: 'working', label: 'Working', icon: 'working', to: tasksBy('state:assigned'), before: 'working', note: 'Tasks that are with an agent' },
    value: ({ queue }) => queue?.by_status?.assigned,
    tone: ({ queue }) => (queue?.by_status?.assigned > 0 ? 'info' : ''),
  },
  {
    ...{ id: 'dead', label: 'Dead letters', icon: 'critical', to: '/dead', before: 'dead_letter', note: 'Tasks that failed for good' },
    value: deadLetters,
    tone: (found) => (deadLetters(found) > 0 ? 'critical' : ''),
  },
  { id: 'agents', label: 'Agents online', icon: 'agents', before: 'agents_online', to: '/agents', value: agentsOnline },
  {
    ...{ id: 'done', label: 'Done in 60 min', icon: 'ok', to: tasksBy('state:completed'), before: 'completed_last_hour' },
    value: ({ throughput }) => throughput?.completed_last_hour,
  },
  { id: 'oldest', label: 'Oldest wait', icon: 'wait', note: 'How long the oldest queued task has waited', value: oldestWait, words: roughly, to: tasksBy('state:queued') },
  {
    ...{ id: 'wait', label: 'Wait p95, 60 min', icon: 'clock', before: 'wait_p95_ms', words: short, changeWords: roughly },
    ...{ note: '95 of 100 tasks were handed out within this time', value: (/** @type {any} */ found) => (found.wait?.count > 0 ? found.wait.p95_ms : null) },
  },
  { id: 'tokens', label: 'Tokens in 60 min', icon: 'tokens', value: ({ throughput }) => throughput?.total_tokens_hour, words: compact },
];

export function Counters() {
  return html`<section class="counters" aria-label="Counters">${COUNTERS.map((one) => html`<${Box} key=${one.id} counter=${one} />`)}</section>`;
}

/** @param {{counter: Counter}} props */
function Box({ counter }) {
  const { id, label, icon, value, tone, note, to, words = count, changeWords = words, before } = counter;
  const found = snapshot.value;
  const number = found ? value(found) : null;
  const isLink = to && pages.some(({ path }) => path === to.split('?')[0]);
  return html`
    <dl class="counter" data-counter=${id} title=${note}>
      <dt><${Icon} name=${icon} tone=${found ? tone?.(found) : ''} />${isLink ? html`<a href=${at(to)}>${label}</a>` : html`<span>${label}</span>`}</dt>
      <dd>
        <${LiveNumber} text=${typeof number === 'number' ? words(number) : '–'} testid=${`counter-${id}`} />
        ${before && html`<${Change} now=${number} before=${found?.hour_ago?.[before]} words=${changeWords} />`}
      </dd>
    </dl>
  `;
}

/** @param {{now: unknown, before: unknown, words: (value: number) => string}} props */
function Change({ now: present, before, words }) {
  if (typeof present !== 'number' || typeof before !== 'number' || present === before) return null;
  const text = words(Math.abs(present - before));
  return html`<span class="change" title=${`An hour ago: ${words(before)}`}>${present > before ? '+' : '−'}${text}</span>`;
}

function agentsOnline() {
  return agents.value.filter((agent) => agent.fsm_state !== 'offline').length;
}

/** @param {any} found */
function deadLetters(found) {
  return found.dead_letter_total ?? found.queue?.dead_letter;
}

/** @param {any} found */
function oldestWait(found) {
  const since = found.wait?.oldest_since;
  return isTime(since) ? Math.max(0, now.value - since) : null;
}
