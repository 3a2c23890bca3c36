// @ts-check
/** How it has been: the queue, the waiting, the agents and what they used, from a quarter of an hour to 90 days. */

import { Chart } from '../ui/chart.js';
import { asDuration, asNumber } from '../ui/series.js';
import { wholeOf } from '../ui/plot.js';
import { at } from '../base.js';
import { setQuery } from '../router.js';
import { useResource } from '../store/resource.js';
import { hubNow } from '../ui/clock.js';
import { html } from '../ui/html.js';
import { absolute, clockTime } from '../ui/time.js';

/** What the hub answers to, and how it is called. */
const RANGES = new Map([
  ['15m', '15 min'],
  ['1h', '1 h'],
  ['6h', '6 h'],
  ['24h', '24 h'],
  ['7d', '7 d'],
  ['30d', '30 d'],
  ['90d', '90 d'],
]);

const USUAL = '1h';
const DAY_MS = 86_400_000;

/** The newest step of the finest range begins anew every ten seconds. */
const EVERY_MS = 10_000;

const PER_MINUTE = { unit: 'tasks per minute', format: asNumber };
const SPANS = { unit: 'seconds, log scale', format: asDuration, isLog: true };

/** @type {{id: string, title: string, about?: string, names: string[], unit: string, format: import('../ui/series.js').Format, isLog?: boolean}[]} */
const CHARTS = [
  { id: 'flow', title: 'Flow', names: ['submitted_per_min', 'completed_per_min', 'failed_per_min', 'dead_per_min'], ...PER_MINUTE },
  { id: 'depth', title: 'Queue', names: ['queued', 'queued_max', 'working'], unit: 'tasks', format: asNumber },
  { id: 'wait', title: 'Wait', about: 'submission to hand-out, ', names: ['wait_p50_ms', 'wait_p95_ms', 'wait_p99_ms'], ...SPANS },
  { id: 'run', title: 'Run', about: 'hand-out to completion, ', names: ['run_p50_ms', 'run_p95_ms', 'run_p99_ms'], ...SPANS },
  { id: 'agents', title: 'Agents', names: ['agents_online', 'working'], unit: 'agents, tasks', format: asNumber },
  { id: 'dead', title: 'Dead letters', names: ['dead_letters'], unit: 'tasks', format: asNumber },
  { id: 'tokens', title: 'Tokens', names: ['tokens_per_min'], unit: 'tokens per minute', format: asNumber },
];

/** @typedef {import('../ui/plot.js').Span} Span */

/** @param {{query: URLSearchParams}} props */
export function Trends({ query }) {
  const asked = query.get('range') ?? '';
  const range = RANGES.has(asked) ? asked : USUAL;
  const address = `/api/dashboard/trends?range=${range}`;
  const { data, problem, path } = useResource(address, { everyMs: EVERY_MS, onEvents: false });
  const trends = path === address ? data : null; // what is still there of another range is not this one
  const zoom = zoomOf(query);
  /** @param {Span | null} span */
  const onZoom = (span) => setQuery(span ? { range, from: String(span.from), until: String(span.until) } : { range });
  return html`
    <div class="trends">
      <div class="trends-bar">
        <nav class="ranges" aria-label="Range">
          ${[...RANGES].map(([id, word]) => html`<a key=${id} href=${at(`/trends?range=${id}`)} aria-current=${id === range ? 'true' : undefined}>${word}</a>`)}
        </nav>
        <${ZoomTools} trends=${trends} zoom=${zoom} onZoom=${onZoom} />
      </div>
      ${problem && html`<p class="banner tone-warning" role="status">${problem.detail}${trends ? ' What is below is from before.' : ''}</p>`}
      <div class=${problem ? 'charts is-stale' : 'charts'}>
        ${CHARTS.map(
          (chart) => html`
            <${Chart}
              key=${chart.id} ...${chart} scope=${`${chart.about ?? ''}last ${RANGES.get(range)}`} trends=${trends} zoom=${zoom} onZoom=${onZoom} cursorKey="trends"
              csv=${`${address}&format=csv`}
            />
          `,
        )}
      </div>
    </div>
  `;
}

/** @param {{trends: import('../ui/plot.js').Trends | null, zoom: Span | null, onZoom: (span: Span | null) => void}} props */
function ZoomTools({ trends, zoom, onZoom }) {
  if (!trends) return null;
  const span = zoom ?? wholeOf(trends);
  const half = (span.until - span.from) / 2;
  const nearer = () => onZoom({ from: Math.round(span.until - half), until: span.until });
  const least = trends.step_s * 4000;
  return html`
    <span class="zoom-tools">
      <span class="quiet" data-testid="zoom">${zoom ? `${moment(zoom.from, half)} to ${moment(zoom.until, half)}` : 'Drag over a chart to zoom'}</span>
      <button type="button" aria-disabled=${String(half * 2 <= least)} onClick=${() => half * 2 > least && nearer()}>Zoom in</button>
      <button type="button" aria-pressed=${String(!zoom)} onClick=${() => onZoom(null)}>Live</button>
    </span>
  `;
}

/**
 * @param {number} time
 * @param {number} half of what is shown, in ms
 */
function moment(time, half) {
  return half * 2 > DAY_MS || Math.abs(hubNow() - time) > DAY_MS ? absolute(time) : clockTime(time);
}

/**
 * @param {URLSearchParams} query
 * @returns {Span | null}
 */
function zoomOf(query) {
  const from = Number(query.get('from'));
  const until = Number(query.get('until'));
  return Number.isSafeInteger(from) && Number.isSafeInteger(until) && 0 < from && from < until ? { from, until } : null;
}
