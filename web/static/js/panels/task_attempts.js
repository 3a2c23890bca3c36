// @ts-check
/** One bar for each attempt on a common axis of time: how long it waited, was offered, was worked on, and how that ended. */

import { agentAddress } from '../base.js';
import { now } from '../ui/clock.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { foreignText, plural } from '../ui/text.js';
import { absolute, duration } from '../ui/time.js';

/** Units of the axis; a bar is never thinner than the least of them. */
const WIDTH = 1000;
const LEAST = 4;

/**
 * @typedef {object} Attempt as `GET /api/dashboard/tasks/:id` gives them
 * @property {number} generation
 * @property {string} agent_id
 * @property {number | null} waiting_since
 * @property {number} assigned_at
 * @property {number | null} accepted_at
 * @property {number | null} ended_at
 * @property {number | null} waited_ms
 * @property {number | null} duration_ms
 * @property {string} outcome
 * @property {string | null} reason
 * @property {number | null} tokens_used
 */

/** @type {Map<string, {word: string, symbol: string, tone: string}>} */
const OUTCOMES = new Map([
  ['running', { word: 'Working', symbol: 'working', tone: 'info' }],
  ['completed', { word: 'Completed', symbol: 'ok', tone: 'ok' }],
  ['failed', { word: 'Failed', symbol: 'critical', tone: 'critical' }],
  ['taken_back', { word: 'Taken back', symbol: 'retry', tone: 'warning' }],
  ['cancelled', { word: 'Cancelled', symbol: 'cancelled', tone: 'idle' }],
]);

/** @param {{attempts: Attempt[], waitsSince: number | null}} props `waitsSince`: it waits for another one now */
export function TaskAttempts({ attempts, waitsSince }) {
  if (attempts.length === 0) return null;
  const end = attempts.some(({ ended_at: ended }) => ended === null) || waitsSince !== null ? now.value : Math.max(...attempts.map((one) => one.ended_at ?? 0));
  const start = Math.min(...attempts.map((one) => one.waiting_since ?? one.assigned_at));
  const axis = { start, length: Math.max(1, end - start), end };
  return html`
    <${Panel} title="Attempts" padded aside=${html`<span class="quiet number">${plural(attempts.length, 'attempt')} in ${duration(axis.length)}</span>`}>
      <ol class="attempts">${attempts.map((one, place) => html`<${Row} key=${one.generation} attempt=${one} number=${place + 1} axis=${axis} />`)}</ol>
      <div class="attempt-axis quiet number" aria-hidden="true"><span>${absolute(axis.start)}</span><span>+ ${duration(axis.length)}</span></div>
    <//>
  `;
}

/** @typedef {{start: number, length: number, end: number}} Axis */

/** @param {{attempt: Attempt, number: number, axis: Axis}} props */
function Row({ attempt, number, axis }) {
  const look = OUTCOMES.get(attempt.outcome) ?? { word: foreignText(attempt.outcome, 40), symbol: 'unknown', tone: 'idle' };
  const worked = attempt.duration_ms ?? Math.max(0, axis.end - attempt.assigned_at);
  return html`
    <li data-testid="attempt" data-generation=${attempt.generation} data-outcome=${attempt.outcome} data-duration-ms=${worked}>
      <div class="attempt-words">
        <span class="number quiet">${number}</span>
        <a class="plain-link strong" href=${agentAddress(attempt.agent_id)}><bdi>${foreignText(attempt.agent_id, 60)}</bdi></a>
        <span class=${`state tone-${look.tone}`}><${Icon} name=${look.symbol} /><span>${look.word}</span></span>
        <span class="number">${attempt.outcome === 'running' ? 'for' : 'after'} ${duration(worked)}</span>
        ${attempt.waited_ms !== null && html`<span class="quiet number">waited ${duration(attempt.waited_ms)}</span>`}
        ${attempt.tokens_used ? html`<span class="quiet number">${plural(attempt.tokens_used, 'token')}</span>` : null}
        ${attempt.reason && html`<bdi class="quiet clamp">${foreignText(attempt.reason.replaceAll('_', ' '), 200)}</bdi>`}
      </div>
      <${Bars} attempt=${attempt} axis=${axis} tone=${look.tone} />
    </li>
  `;
}

/** @param {{attempt: Attempt, axis: Axis, tone: string}} props */
function Bars({ attempt, axis, tone }) {
  const ended = attempt.ended_at ?? axis.end;
  const worksSince = attempt.accepted_at ?? attempt.assigned_at;
  return html`
    <svg class="attempt-bar" viewBox=${`0 0 ${WIDTH} 12`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="attempt-track" x="0" y="0" width=${WIDTH} height="12" />
      ${attempt.waiting_since !== null && html`<${Bar} axis=${axis} from=${attempt.waiting_since} to=${attempt.assigned_at} look="attempt-waited" />`}
      ${attempt.accepted_at !== null && html`<${Bar} axis=${axis} from=${attempt.assigned_at} to=${attempt.accepted_at} look=${`attempt-offered tone-${tone}`} />`}
      <${Bar} axis=${axis} from=${worksSince} to=${ended} look=${`attempt-worked tone-${tone}`} least=${LEAST} />
    </svg>
  `;
}

/** @param {{axis: Axis, from: number, to: number, look: string, least?: number}} props */
function Bar({ axis, from, to, look, least = 0 }) {
  const width = Math.max(least, (Math.max(0, to - from) / axis.length) * WIDTH);
  const x = Math.min(((from - axis.start) / axis.length) * WIDTH, WIDTH - width);
  return html`<rect class=${look} x=${Math.max(0, x)} y="0" width=${width} height="12" />`;
}
