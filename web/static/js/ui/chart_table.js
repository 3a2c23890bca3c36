// @ts-check
/** The numbers of a chart, newest first. */

import { html } from './html.js';
import { absolute } from './time.js';
import { lookOf } from './series.js';

/**
 * @param {object} props
 * @param {string} props.title
 * @param {string[]} props.names
 * @param {import('./plot.js').Trends} props.trends
 * @param {import('./plot.js').Span | null} props.zoom
 * @param {import('./series.js').Format} props.format
 */
export function ChartTable({ title, names, trends, zoom, format }) {
  const places = trends.times.map((_, place) => place).filter((place) => isWithin(trends.times[place] ?? 0, zoom));
  return html`
    <div class="scroller chart-table" role="region" tabindex="0" aria-label=${title}>
      <table aria-label=${title}>
        <thead>
          <tr><th scope="col">From</th>${names.map((name) => html`<th key=${name} scope="col" class="number">${lookOf(name).word}</th>`)}</tr>
        </thead>
        <tbody>
          ${places.reverse().map((place) => html`<${Row} key=${trends.times[place]} names=${names} trends=${trends} place=${place} format=${format} />`)}
        </tbody>
      </table>
    </div>
  `;
}

/**
 * @param {number} time
 * @param {import('./plot.js').Span | null} zoom
 */
function isWithin(time, zoom) {
  return zoom === null || (time >= zoom.from && time <= zoom.until);
}

/** @param {{names: string[], trends: import('./plot.js').Trends, place: number, format: import('./series.js').Format}} props */
function Row({ names, trends, place, format }) {
  const time = trends.times[place] ?? 0;
  return html`
    <tr data-time=${time}>
      <th scope="row"><time datetime=${new Date(time).toISOString()}>${absolute(time)}</time>${time >= trends.partial_since && html` <span class="quiet">not over</span>`}</th>
      ${names.map((name) => html`<td key=${name} class="number" data-label=${lookOf(name).word} data-value=${trends.series[name]?.[place] ?? ''}>${format(trends.series[name]?.[place])}</td>`)}
    </tr>
  `;
}
