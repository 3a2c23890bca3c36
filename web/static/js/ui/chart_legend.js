// @ts-check
/** Which line is which, with its value at the cursor, or the newest that is whole. */

import { html } from './html.js';
import { clockTime, dayName } from './time.js';
import { lookOf } from './series.js';

const DAY_S = 86_400;

/** @param {{names: string[], trends: import('./plot.js').Trends, place: number | null, format: import('./series.js').Format}} props */
export function Legend({ names, trends, place, format }) {
  const shown = place ?? Math.max(0, trends.times.length - 2);
  const time = trends.times[shown];
  return html`
    <ul class="chart-legend">
      ${names.map((name) => html`<${Entry} key=${name} name=${name} text=${format(trends.series[name]?.[shown])} />`)}
      ${trends.restarts.length > 0 && html`<li class="legend-start" title="The hub was started"><${Flag} />Start</li>`}
      <li class="legend-time">${time !== undefined && html`<time datetime=${new Date(time).toISOString()}>${moment(time, trends)}</time>`}${place === trends.times.length - 1 && ' · not over'}</li>
    </ul>
  `;
}

/**
 * As fine as the steps are.
 * @param {number} time
 * @param {import('./plot.js').Trends} trends
 */
function moment(time, { step_s: step, times }) {
  const clock = clockTime(time).slice(0, step < 60 ? 8 : 5);
  return step * times.length > DAY_S ? `${dayName(time)}, ${clock}` : clock;
}

/** @param {{name: string, text: string}} props */
function Entry({ name, text }) {
  const { word, tone, dash } = lookOf(name);
  return html`
    <li data-series=${name}>
      <svg class=${`legend-line tone-${tone}`} viewBox="0 0 22 8" aria-hidden="true"><line x1="0" y1="4" x2="22" y2="4" stroke-dasharray=${dash.join(' ')} /></svg>
      <span>${word}</span> <strong>${text}</strong>
    </li>
  `;
}

function Flag() {
  return html`<svg class="legend-flag tone-retry" viewBox="0 0 10 12" aria-hidden="true"><path d="M1 0v12M1 0l8 3-8 3z" /></svg>`;
}
