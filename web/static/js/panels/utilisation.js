// @ts-check
/** How busy an agent's slots were: now, over a day and over a week, and each hour of the week as a bar. */

import { html } from '../ui/html.js';
import { absolute } from '../ui/time.js';
import { share } from '../ui/text.js';

const HOUR = 3600 * 1000;
const HEIGHT = 48;
/** Of the height: an hour without work is still seen to have been there. */
const LEAST = 1.5;

/** @param {{agent: any}} props */
export function Utilisation({ agent }) {
  const { from, shares } = agent.utilisation_hours ?? { from: 0, shares: [] };
  return html`
    <dl class="shares" data-testid="utilisation" title="The share of its slots' time that tasks were in them, while it was connected">
      <div><dt>Last hour</dt><dd>${share(agent.utilisation)}</dd></div>
      <div><dt>24 hours</dt><dd>${share(agent.utilisation_day)}</dd></div>
      <div><dt>7 days</dt><dd>${share(agent.utilisation_week)}</dd></div>
    </dl>
    <svg class="hours" viewBox=${`0 0 ${Math.max(1, shares.length)} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label="Utilisation of each hour of the last 7 days">
      ${shares.map((/** @type {number | null} */ part, /** @type {number} */ at) => html`<${Hour} key=${from + at * HOUR} at=${at} from=${from + at * HOUR} part=${part} />`)}
    </svg>
    <p class="strip-ends quiet small"><span>7 days ago</span><span>now</span></p>
  `;
}

/** @param {{at: number, from: number, part: number | null}} props */
function Hour({ at, from, part }) {
  if (part === null) return null;
  const height = Math.max(LEAST, part * HEIGHT);
  return html`<rect x=${at} y=${HEIGHT - height} width="0.8" height=${height}><title>${absolute(from)}: ${share(part)}</title></rect>`;
}
