// @ts-check
/** What is not well, the worst first: how bad, a sentence with numbers, since when. */

import { useState } from 'preact/hooks';
import { post, reasonOf } from '../net/api.js';
import { askSnapshot, conditions, snapshot } from '../store/hub.js';
import { SEVERITIES, State } from '../ui/chip.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText } from '../ui/text.js';
import { Ago, For, absolute, clockTime, isTime } from '../ui/time.js';
import { toast } from '../ui/toast.js';

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
      <${Acknowledgement} condition=${condition} />
    </li>
  `;
}

/** @param {{condition: Condition}} props */
function Acknowledgement({ condition }) {
  const [isSending, setSending] = useState(false);
  const by = condition.acknowledged;
  if (by) {
    const note = by.note ? `: ${foreignText(by.note)}` : '';
    return html`<span class="acknowledged" title=${isTime(by.at) ? absolute(by.at) : null}><${Icon} name="ok" />seen by <bdi>${foreignText(by.by, 40)}</bdi>${note}</span>`;
  }
  const acknowledge = async () => {
    if (isSending) return;
    setSending(true);
    try {
      await post(`/api/health/${encodeURIComponent(condition.id)}/acknowledge`);
      askSnapshot();
    } catch (error) {
      toast('warning', reasonOf(error));
    }
    setSending(false);
  };
  return html`
    <button type="button" class="acknowledge" aria-disabled=${isSending ? 'true' : null} aria-label=${`Acknowledge: ${foreignText(condition.message)}`} onClick=${() => void acknowledge()}>
      ${isSending ? 'Sending…' : 'Acknowledge'}
    </button>
  `;
}
