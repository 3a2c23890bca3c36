// @ts-check
/** The row of big numbers. */

import { el, count, setAttribute, setText } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { duration, hubNow, onTick, stopwatch } from '../ui/time.js';

/** @typedef {import('../store.js').State} State */

/**
 * @typedef {object} Counter
 * @property {string} id end of the test id
 * @property {string} label
 * @property {string} symbol
 * @property {(snapshot: any, state: State) => string} value
 * @property {(snapshot: any, state: State) => string} [tone] colour of the icon when it matters
 * @property {string} [note] what the number means, as a title
 * @property {string} [href] the list that it counts
 */

/** @type {Counter[]} */
const COUNTERS = [
  { id: 'queued', label: 'Queued', symbol: 'queued', href: '/tasks?status=queued', value: (snapshot) => count(snapshot.queue?.by_status?.queued) },
  {
    id: 'working',
    label: 'Working',
    symbol: 'working',
    href: '/tasks?status=assigned',
    value: (snapshot) => count(snapshot.queue?.by_status?.assigned),
    tone: (snapshot) => (snapshot.queue?.by_status?.assigned > 0 ? 'info' : ''),
    note: 'Tasks that are with an agent',
  },
  {
    id: 'dead',
    label: 'Dead letters',
    symbol: 'critical',
    href: '/tasks?status=dead_letter',
    value: (snapshot) => count(deadLetters(snapshot)),
    tone: (snapshot) => (deadLetters(snapshot) > 0 ? 'critical' : ''),
    note: 'Tasks that failed for good',
  },
  {
    id: 'agents',
    label: 'Agents online',
    symbol: 'agents',
    value: (_, state) => count(state.agents.filter((agent) => agent.fsm_state !== 'offline').length),
  },
  { id: 'done', label: 'Done in 60 min', symbol: 'ok', value: (snapshot) => count(snapshot.throughput?.completed_last_hour) },
  {
    id: 'average',
    label: 'Average duration',
    symbol: 'clock',
    value: ({ throughput }) => (throughput?.completed_last_hour ? duration(throughput.avg_completion_ms) : '–'),
    note: 'From assignment to completion, last 60 minutes',
  },
  {
    id: 'tokens',
    label: 'Tokens in 60 min',
    symbol: 'tokens',
    value: (snapshot) => compact(snapshot.throughput?.total_tokens_hour),
  },
];

/**
 * @param {HTMLElement} slot
 * @returns {(state: State) => void}
 */
export function countersView(slot) {
  const shown = COUNTERS.map((counter) => ({ counter, ...counterBox(slot, counter) }));
  const uptime = counterBox(slot, { id: 'uptime', label: 'Uptime', symbol: 'live', note: 'Since the hub was started' });
  let bootedAt = 0;
  let live = false;
  const tick = () => {
    if (bootedAt && live) setText(uptime.number, stopwatch(Math.max(0, hubNow() - bootedAt)));
  };
  onTick(tick);

  return (state) => {
    const { snapshot } = state;
    live = state.connection.phase === 'live';
    bootedAt = state.bootedAt;
    document.body.classList.toggle('not-live', snapshot !== null && !live);
    if (!snapshot) return;
    tick();
    for (const { counter, box, number } of shown) {
      setText(number, counter.value(snapshot, state));
      const tone = counter.tone?.(snapshot, state) ?? '';
      setAttribute(box.querySelector('.icon') ?? box, 'class', tone ? `icon tone-${tone}` : 'icon');
    }
    const tokens = snapshot.throughput?.total_tokens_hour;
    setAttribute(slot.querySelector('[data-counter="tokens"] dd') ?? slot, 'title', tokens >= 1e6 ? count(tokens) : null);
  };
}

/**
 * @param {HTMLElement} slot
 * @param {{id: string, label: string, symbol: string, note?: string, href?: string}} counter
 */
function counterBox(slot, { id, label, symbol, note, href }) {
  const number = el('span', { class: 'live-number', 'data-testid': `counter-${id}` }, '–');
  const term = el('dt', {}, icon(symbol), href ? el('a', { href }, label) : el('span', {}, label));
  const box = el('dl', { class: 'counter', 'data-counter': id, title: note }, term, el('dd', {}, number));
  slot.append(box);
  return { box, number };
}

/** @param {any} snapshot */
function deadLetters(snapshot) {
  return snapshot.dead_letter_total ?? snapshot.queue?.dead_letter;
}

/**
 * Whole below a million, "1.24M" from there.
 * @param {unknown} value
 */
function compact(value) {
  if (typeof value !== 'number' || value < 1e6) return count(value);
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 }).format(value);
}
