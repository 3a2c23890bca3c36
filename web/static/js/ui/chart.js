// @ts-check
/**
 * Lines over time, drawn by uPlot, which is loaded when the first chart is shown. Times are Unix seconds; a missing value is a gap. The
 * newest bucket is hatched, because it is not full yet. Arrow keys move the cursor, and the values at it stand in the legend.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { html } from './html.js';
import { Plot } from './plot.js';
import { clockTime } from './time.js';

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} tone `ok`, `info`, `warning`, `critical`, `retry`, `idle`: the same for the same thing everywhere
 * @property {number[]} [dash]
 * @property {(number | null)[]} values one for each time
 *
 * @typedef {object} Props
 * @property {string} label accessible name: what it shows and in which unit
 * @property {number[]} times rising
 * @property {Series[]} series
 * @property {(value: number) => string} words how a value is written
 * @property {(value: number) => string} [axis] how it is written at the axis; `words` without
 * @property {number} [height] of the drawing, in pixels
 * @property {boolean} [isLog] for durations: a linear axis would flatten all but the slowest
 * @property {string} [sync] charts with the same word move their cursors together
 * @property {number} [bucketS] how long the newest bucket is
 * @property {number[]} [marks] times of restarts and deploys
 * @property {(from: number, to: number) => void} [onZoom] a span was chosen by dragging
 */

/** @param {Props} props */
export function Chart(props) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {Plot | null} */ (null));
  const [place, setPlace] = useState(/** @type {number | null} */ (null));
  const latest = useRef(props);
  latest.current = props;
  const names = props.series.map(({ label }) => label).join();

  useEffect(() => {
    if (!box.current) return;
    const made = new Plot(box.current, latest, setPlace);
    plot.current = made;
    return () => made.end();
  }, [names, props.isLog]);
  useEffect(() => plot.current?.update(), [props.times, props.series]);

  const shown = place ?? props.times.length - 1;
  const at = props.times[shown];
  return html`
    <div class="chart">
      <div class="chart-legend" aria-live=${place === null ? 'off' : 'polite'}>
        ${props.series.map(
          ({ label, tone, dash, values }) => html`
            <span key=${label} class=${`chart-key tone-${tone}${dash ? ' is-dashed' : ''}`}><i></i><span>${label}</span><b>${written(values[shown], props.words)}</b></span>
          `,
        )}
        <time class="quiet">${at === undefined ? '' : clockTime(at * 1000).slice(0, 5)}</time>
      </div>
      <div class="chart-box" role="img" aria-label=${props.label} tabindex="0" ref=${box} onKeyDown=${(/** @type {KeyboardEvent} */ event) => plot.current?.pressed(event)}></div>
    </div>
  `;
}

/**
 * @param {number | null | undefined} value
 * @param {(value: number) => string} words
 */
function written(value, words) {
  return value === null || value === undefined ? '–' : words(value);
}
