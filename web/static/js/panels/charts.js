// @ts-check
/** The last hour in two drawings with one cursor: what came and went, and how long tasks waited for an agent. */

import { useMemo } from 'preact/hooks';
import { at } from '../base.js';
import { pages } from '../pages.js';
import { useResource } from '../store/resource.js';
import { Chart } from '../ui/chart.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { duration } from '../ui/time.js';

const MINUTE_S = 60;
const EVERY_MS = 10000;

/** @typedef {{step_s: number, times: number[], restarts: {at: number}[], series: Record<string, (number | null)[]>}} Trends */

const FLOW = [
  { name: 'submitted_per_min', label: 'submitted', tone: 'info', dash: [5, 3] },
  { name: 'completed_per_min', label: 'completed', tone: 'ok' },
  { name: 'failed_per_min', label: 'failed', tone: 'critical' },
];
const WAIT = [
  { name: 'wait_p50_ms', label: 'p50', tone: 'ok' },
  { name: 'wait_p95_ms', label: 'p95', tone: 'info' },
  { name: 'wait_p99_ms', label: 'p99', tone: 'warning', dash: [5, 3] },
];

export function Charts() {
  const { data } = useResource('/api/dashboard/trends?range=1h', { everyMs: EVERY_MS, onEvents: false });
  const drawn = useMemo(() => (data ? drawnFrom(data) : null), [data]);
  if (drawn === null) return html`<${Panel} title="Flow, tasks a minute" area="flow" /><${Panel} title="Wait for an agent" area="wait" />`;
  const { times, marks, flow, wait } = drawn;
  const shared = { times, marks, sync: 'overview', bucketS: MINUTE_S };
  return html`
    <${Panel} title="Flow, tasks a minute" area="flow" aside=${html`<${More} />`}>
      <${Chart} label="Tasks a minute in the last hour: submitted, completed, failed" series=${flow} words=${rate} ...${shared} />
    <//>
    <${Panel} title="Wait for an agent" area="wait" aside=${html`<${More} />`}>
      <${Chart} label="Time from submission to hand-out in the last hour: p50, p95, p99" series=${wait} words=${duration} axis=${roundTime} isLog ...${shared} />
    <//>
  `;
}

function More() {
  if (!pages.some(({ id }) => id === 'trends')) return null;
  return html`<a class="panel-link" href=${at('/trends?range=1h')}>Trends</a>`;
}

/** @param {Trends} trends */
function drawnFrom(trends) {
  const width = Math.max(1, Math.round(MINUTE_S / trends.step_s));
  const groups = groupsOf(trends.times, width);
  const series = (/** @type {typeof FLOW} */ list, /** @type {(values: number[]) => number} */ one) =>
    list.map(({ name, ...look }) => ({ ...look, values: groups.map(({ from, to }) => over(trends.series[name]?.slice(from, to) ?? [], one)) }));
  return {
    times: groups.map(({ at: time }) => time / 1000),
    marks: trends.restarts.map((restart) => restart.at / 1000),
    flow: series(FLOW, mean),
    wait: series(WAIT, (values) => Math.max(...values)),
  };
}

/**
 * Steps that belong to the same minute.
 * @param {number[]} times
 * @param {number} width steps of a minute
 */
function groupsOf(times, width) {
  const groups = [];
  for (let from = 0; from < times.length; ) {
    const minute = Math.floor((times[from] ?? 0) / (MINUTE_S * 1000));
    let to = from + 1;
    while (to < times.length && to - from < width && Math.floor((times[to] ?? 0) / (MINUTE_S * 1000)) === minute) to += 1;
    groups.push({ at: minute * MINUTE_S * 1000, from, to });
    from = to;
  }
  return groups;
}

/**
 * @param {(number | null)[]} values
 * @param {(values: number[]) => number} one
 */
function over(values, one) {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? one(known) : null;
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {number} value */
function rate(value) {
  return value >= 10 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 10) / 10);
}

/** @param {number} ms */
function roundTime(ms) {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60000) return `${ms / 1000} s`;
  return ms < 3600000 ? `${Math.round(ms / 6000) / 10} min` : `${Math.round(ms / 360000) / 10} h`;
}
