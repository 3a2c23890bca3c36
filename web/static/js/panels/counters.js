// @ts-check
/** The row of big numbers. Each says its scope, and leads to the list that it counts. */

import { at } from '../base.js';
import { agents, isLive, snapshot } from '../store/hub.js';
import { now } from '../ui/clock.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { LiveNumber } from '../ui/live_number.js';
import { compact, count } from '../ui/text.js';
import { duration, stopwatch } from '../ui/time.js';

/**
 * @typedef {object} Counter
 * @property {string} id end of the test id
 * @property {string} label
 * @property {string} icon
 * @property {(snapshot: any) => string} value
 * @property {(snapshot: any) => string} [tone] colour of the icon when it matters
 * @property {string} [note] what the number means, as a title
 * @property {string} [to] the list that it counts
 */

/** @type {Counter[]} */
const COUNTERS = [
  { id: 'queued', label: 'Queued', icon: 'queued', to: '/tasks?status=queued', value: ({ queue }) => count(queue?.by_status?.queued) },
  {
    ...{ id: 'working', label: 'Working', icon: 'working', to: '/tasks?status=assigned', note: 'Tasks that are with an agent' },
    value: ({ queue }) => count(queue?.by_status?.assigned),
    tone: ({ queue }) => (queue?.by_status?.assigned > 0 ? 'info' : ''),
  },
  {
    ...{ id: 'dead', label: 'Dead letters', icon: 'critical', to: '/tasks?status=dead_letter', note: 'Tasks that failed for good' },
    value: (found) => count(deadLetters(found)),
    tone: (found) => (deadLetters(found) > 0 ? 'critical' : ''),
  },
  { id: 'agents', label: 'Agents online', icon: 'agents', value: () => agentsOnline() },
  { id: 'done', label: 'Done in 60 min', icon: 'ok', to: '/tasks?status=completed', value: ({ throughput }) => count(throughput?.completed_last_hour) },
  {
    ...{ id: 'average', label: 'Average duration', icon: 'clock', note: 'From assignment to completion, last 60 minutes' },
    value: ({ throughput }) => (throughput?.completed_last_hour ? duration(throughput.avg_completion_ms) : '–'),
  },
  { id: 'tokens', label: 'Tokens in 60 min', icon: 'tokens', value: ({ throughput }) => compact(throughput?.total_tokens_hour) },
];

export function Counters() {
  return html`
    <section class="counters" aria-label="Counters">
      ${COUNTERS.map((one) => html`<${Box} key=${one.id} counter=${one} />`)}
      <${Uptime} />
    </section>
  `;
}

/** @param {{counter: Counter}} props */
function Box({ counter }) {
  const { id, label, icon, value, tone, note, to } = counter;
  const found = snapshot.value;
  return html`
    <dl class="counter" data-counter=${id} title=${note}>
      <dt><${Icon} name=${icon} tone=${found ? tone?.(found) : ''} />${to ? html`<a href=${at(to)}>${label}</a>` : html`<span>${label}</span>`}</dt>
      <dd><${LiveNumber} text=${found ? value(found) : '–'} testid=${`counter-${id}`} /></dd>
    </dl>
  `;
}

let stoppedAt = '–';

function Uptime() {
  const found = snapshot.value;
  const bootedAt = found ? Number(found.timestamp) - Number(found.uptime_ms) : NaN;
  if (isLive.value && bootedAt > 0) stoppedAt = stopwatch(Math.max(0, now.value - bootedAt));
  return html`
    <dl class="counter" data-counter="uptime" title="Since the hub was started">
      <dt><${Icon} name="live" /><span>Uptime</span></dt>
      <dd><span class="live-number" data-testid="counter-uptime">${stoppedAt}</span></dd>
    </dl>
  `;
}

function agentsOnline() {
  return count(agents.value.filter((agent) => agent.fsm_state !== 'offline').length);
}

/** @param {any} found */
function deadLetters(found) {
  return found.dead_letter_total ?? found.queue?.dead_letter;
}
