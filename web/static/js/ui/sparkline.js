// @ts-check
/** Small lines without axes. What they say stands in words beside them, so screen readers pass over the drawing. */

import { html } from './html.js';

const HEIGHT = 20;

/** @param {{lines: {values: number[], tone: string}[], title: string}} props all lines of the same length, on one scale from nought */
export function Sparkline({ lines, title }) {
  const most = Math.max(1, ...lines.flatMap(({ values }) => values));
  const length = Math.max(2, ...lines.map(({ values }) => values.length));
  return html`
    <svg class="sparkline" viewBox=${`0 0 ${length - 1} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <title>${title}</title>
      ${lines.map(({ values, tone }) => html`<path key=${tone} class=${`tone-${tone}`} d=${pathOf(values, most)} vector-effect="non-scaling-stroke" />`)}
    </svg>
  `;
}

/**
 * @param {number[]} values
 * @param {number} most
 */
function pathOf(values, most) {
  const y = (/** @type {number} */ value) => (HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1);
  return values.map((value, x) => `${x === 0 ? 'M' : 'L'}${x} ${y(value)}`).join('');
}
