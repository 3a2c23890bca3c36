// @ts-check
/**
 * A chart in a panel: legend with values, the drawing, the same numbers as a table and as CSV. With the focus on it the arrow
 * keys move the cursor, and the values there are said.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { at } from '../base.js';
import { Empty, Skeleton } from './empty.js';
import { html } from './html.js';
import { Panel } from './panel.js';
import { clockTime } from './time.js';
import { ChartTable } from './chart_table.js';
import { Legend } from './chart_legend.js';
import { lookOf } from './series.js';
import { Plot } from './plot.js';

/** Steps of the cursor at once, with the shift key. */
const LEAP = 10;

/**
 * @typedef {import('./plot.js').Trends} Trends
 * @typedef {import('./plot.js').Span} Span
 *
 * @typedef {object} Props
 * @property {string} id
 * @property {string} title
 * @property {string} scope what the numbers are about, for instance "last 60 min"
 * @property {string} unit the title of the axis
 * @property {string[]} names series of `trends`
 * @property {import('./series.js').Format} format of a value
 * @property {boolean} [isLog]
 * @property {Trends | null} trends
 * @property {Span | null} [zoom]
 * @property {(span: Span | null) => void} [onZoom]
 * @property {string} cursorKey charts with the same one share their cursor
 * @property {string} [csv] the address of the numbers
 * @property {string} [more] the page that shows more of it
 * @property {string} [area] of the panel
 */

/** @param {Props} props */
export function Chart(props) {
  const { id, title, scope, names, trends, csv, more, area } = props;
  const [isTable, setTable] = useState(false);
  const shown = trends ? names.filter((name) => trends.series[name]?.some((value) => value !== null)) : [];
  const aside = html`
    <span class="count">${scope}</span>
    <span class="chart-tools">
      <button type="button" class="plain" aria-pressed=${String(isTable)} aria-label=${`${title} as a table`} onClick=${() => setTable(!isTable)}>Table</button>
      ${csv && html`<a href=${at(csv)} download aria-label=${`${title} as CSV`}>CSV</a>`}
      ${more && html`<a href=${at(more)} aria-label=${`${title}: trends`}>Trends</a>`}
    </span>
  `;
  return html`
    <${Panel} title=${title} area=${area} aside=${aside}>
      <div class="chart" data-testid=${`chart-${id}`}>${body(props, shown, isTable)}</div>
    <//>
  `;
}

/**
 * @param {Props} props
 * @param {string[]} shown
 * @param {boolean} isTable
 */
function body({ trends, format, zoom, names, title, ...more }, shown, isTable) {
  if (trends === null) return html`<${Skeleton} rows=${3} />`;
  if (shown.length === 0) return html`<${Empty} title="Nothing was counted in this time." />`;
  if (isTable) return html`<${ChartTable} title=${title} names=${shown} trends=${trends} zoom=${zoom ?? null} format=${format} />`;
  // Another set of lines is another drawing.
  return html`<${Drawing} key=${shown.join()} ...${more} title=${title} names=${shown} trends=${trends} format=${format} zoom=${zoom ?? null} />`;
}

/** @param {Props & {trends: Trends, zoom: Span | null}} props */
function Drawing({ title, unit, names, format, isLog = false, trends, zoom, onZoom, cursorKey }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [cursor, setCursor] = useState(/** @type {number | null} */ (null));
  const [said, say] = useState('');
  const latest = useRef(onZoom);
  latest.current = onZoom;
  const plot = usePlot(place, { names, unit, isLog, cursorKey, onCursor: setCursor, onZoom: (span) => latest.current?.(span) });
  useEffect(() => plot?.show(trends, zoom), [plot, trends, zoom?.from, zoom?.until]);

  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    const wanted = moved(event, cursor, trends, zoom);
    if (wanted === undefined) return;
    event.preventDefault();
    plot?.moveCursor(wanted);
    setCursor(wanted);
    say(wanted === null ? '' : sentence(names, trends, wanted, format));
  };
  return html`
    <${Legend} names=${names} trends=${trends} place=${cursor} format=${format} />
    <div
      class="chart-drawing"
      ref=${place}
      tabindex="0"
      role="application"
      aria-roledescription="chart"
      aria-label=${`${title}: ${names.map((name) => lookOf(name).word).join(', ')}. Left and right move the cursor.`}
      onKeyDown=${pressed}
    ></div>
    <p class="unseen" role="status">${said}</p>
  `;
}

/**
 * The drawing, as soon as its library is there.
 * @param {{current: HTMLElement | null}} place
 * @param {import('./plot.js').Options} options
 */
function usePlot(place, options) {
  const [plot, setPlot] = useState(/** @type {Plot | null} */ (null));
  useEffect(() => {
    let isGone = false;
    /** @type {Plot | null} */
    let made = null;
    import('uplot').then(({ default: UPlotClass }) => {
      if (isGone || !place.current) return;
      made = new Plot(UPlotClass, place.current, options);
      setPlot(made);
    });
    return () => {
      isGone = true;
      made?.end();
    };
  }, []);
  return plot;
}

/**
 * Where a key leads the cursor: a place, null for nowhere, undefined for a key that is none of ours.
 * @param {KeyboardEvent} event
 * @param {number | null} cursor
 * @param {Trends} trends
 * @param {Span | null} zoom
 * @returns {number | null | undefined}
 */
function moved(event, cursor, trends, zoom) {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const places = trends.times.map((time, place) => ({ time, place })).filter(({ time }) => !zoom || (time >= zoom.from && time <= zoom.until));
  const first = places[0]?.place ?? 0;
  const last = places.at(-1)?.place ?? 0;
  const step = event.shiftKey ? LEAP : 1;
  const from = cursor ?? last + 1;
  switch (event.key) {
    case 'ArrowLeft':
      return Math.max(first, Math.min(last, from - step));
    case 'ArrowRight':
      return Math.max(first, Math.min(last, (cursor ?? first - 1) + step));
    case 'Home':
      return first;
    case 'End':
      return last;
    case 'Escape':
      return cursor === null ? undefined : null;
    default:
      return undefined;
  }
}

/**
 * @param {string[]} names
 * @param {Trends} trends
 * @param {number} place
 * @param {import('./series.js').Format} format
 */
function sentence(names, trends, place, format) {
  const time = trends.times[place] ?? 0;
  const values = names.map((name) => `${lookOf(name).word} ${valueAt(trends, name, place, format)}`);
  const partial = time >= trends.partial_since ? ', not over yet' : '';
  return `${clockTime(time)}${partial}: ${values.join(', ')}.`;
}

/**
 * @param {Trends} trends
 * @param {string} name
 * @param {number} place
 * @param {import('./series.js').Format} format
 */
function valueAt(trends, name, place, format) {
  const value = trends.series[name]?.[place];
  return typeof value === 'number' ? format(value) : 'unknown';
}
