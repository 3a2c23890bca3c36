// @ts-check
/** What is not well, the worst first: how bad, a sentence with numbers, since when. */

import { conditions, snapshot } from '../store/hub.js';
import { SEVERITIES, State } from '../ui/chip.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText } from '../ui/text.js';
import { Ago, For, clockTime, isTime } from '../ui/time.js';

/** @typedef {import('../store/hub.js').Condition} Condition */

export function Conditions() {
  if (snapshot.value === null) return html`<p class="empty">Nothing is known yet.</p>`;
  if (conditions.value.length === 0) return html`<${AllWell} />`;
  return html`<ul class="conditions" aria-label="Health conditions">${conditions.value.map((one) => html`<${Row} key=${one.id} condition=${one} />`)}</ul>`;
}

function AllWell() {
  return html`
    <div class="empty">
      <span class="state tone-ok"><${Icon} name="ok" /><span>Everything is well.</span></span>
      <span>Checked <${Ago} at=${snapshot.value.timestamp} /></span>
    </div>
  `;
}

/** @param {{condition: Condition}} props */
function Row({ condition }) {
  const { id, severity, message, since } = condition;
  const tone = SEVERITIES.get(severity)?.tone ?? 'idle';
  return html`
    <li class=${`tone-${tone}`} data-testid="condition" data-condition=${id} data-severity=${severity}>
      <${State} looks=${SEVERITIES} state=${severity} />
      <bdi class="message">${foreignText(message)}</bdi>
      <span class="since">${isTime(since) && html`since ${clockTime(since)} · <${For} at=${since} />`}</span>
    </li>
  `;
}
