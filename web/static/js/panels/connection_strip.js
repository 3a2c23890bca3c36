// @ts-check
/** The last 24 hours of an agent's connection as a strip, and as a list of words for those who do not see it. */

import { html } from '../ui/html.js';
import { now } from '../ui/clock.js';
import { absolute, span } from '../ui/time.js';

const DAY = 24 * 3600 * 1000;
const WIDTH = 1000;
/** Of the width: a part that is shorter is still seen. */
const LEAST = 4;

/** @type {Record<string, {word: string, look: string}>} */
const LOOKS = {
  online: { word: 'Connected', look: 'is-online' },
  left: { word: 'Left', look: 'is-left' },
  lost: { word: 'Lost', look: 'is-lost' },
};

/** @param {{connections: {at: number, presence: string}[]}} props oldest first */
export function ConnectionStrip({ connections }) {
  const end = now.value;
  const start = end - DAY;
  const parts = connections
    .map(({ at, presence }, index) => ({ presence, from: Math.max(at, start), to: connections[index + 1]?.at ?? end, at }))
    .filter(({ from, to }) => to > from);
  const x = (/** @type {number} */ time) => ((time - start) / DAY) * WIDTH;
  const online = parts.filter(({ presence }) => presence === 'online').reduce((sum, { from, to }) => sum + to - from, 0);
  const drops = connections.filter(({ at, presence }) => presence === 'lost' && at >= start).length;
  return html`
    <p>${online > 0 ? `Connected for ${span(online)} of the last 24 hours.` : 'Not connected in the last 24 hours.'} ${drops > 0 ? `Lost ${drops === 1 ? 'once' : `${drops} times`}.` : ''}</p>
    <svg class="connection-strip" viewBox=${`0 0 ${WIDTH} 20`} preserveAspectRatio="none" role="img" aria-label="Connection in the last 24 hours">
      <rect class="is-unknown" x="0" y="0" width=${WIDTH} height="20" />
      ${parts.map(({ presence, from, to, at }) => html`
        <rect key=${at} class=${LOOKS[presence]?.look ?? ''} x=${Math.min(x(from), WIDTH - LEAST)} y="0" width=${Math.max(LEAST, x(to) - x(from))} height="20">
          <title>${LOOKS[presence]?.word ?? presence}: ${absolute(from)}, ${span(to - from)}</title>
        </rect>
      `)}
    </svg>
    <p class="strip-ends quiet small"><span>24 h ago</span><span class="strip-key"><span class="key is-online"></span>Connected <span class="key is-lost"></span>Lost <span class="key is-left"></span>Left</span><span>now</span></p>
  `;
}
