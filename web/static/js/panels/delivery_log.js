// @ts-check
/** What was sent to one webhook, newest first, and the button that sends it once more. */

import { post, reasonOf } from '../net/api.js';
import { useResource } from '../store/resource.js';
import { Dialog } from '../ui/dialog.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Table } from '../ui/table.js';
import { foreignText } from '../ui/text.js';
import { Ago, clockTime, duration } from '../ui/time.js';
import { toast } from '../ui/toast.js';
import { nameOf } from './webhook_settings.js';

/**
 * @typedef {{id: number, message_id: string, kind: string, state: string, attempts: number, created_at: number, due_at: number,
 *   status: number | null, error: string | null, duration_ms: number | null}} Delivery
 */

const COLUMNS = [
  { id: 'event', text: 'What' },
  { id: 'when', text: 'When' },
  { id: 'attempts', text: 'Attempts', number: true },
  { id: 'outcome', text: 'Outcome' },
  { id: 'again', text: 'Action' },
];

const EVERY_MS = 1500;

/** @param {{hook: import('./webhook_settings.js').Webhook, onClose: () => void}} props */
export function DeliveryLog({ hook, onClose }) {
  const path = `/api/webhooks/${encodeURIComponent(hook.id)}/deliveries`;
  const { data, problem, isLoading, reload } = useResource(`${path}?limit=50`, { everyMs: EVERY_MS, onEvents: false });
  /** @type {Delivery[]} */
  const deliveries = data?.deliveries ?? [];
  const held = useHeld(deliveries, (one) => String(one.id));
  const again = (/** @type {number} */ id) =>
    post(`${path}/${id}/redeliver`)
      .then(() => reload())
      .catch((error) => toast('warning', reasonOf(error)));
  const row = (/** @type {Delivery} */ one) => ({
    attributes: { 'data-testid': 'delivery-row' },
    cells: [
      html`<code title=${one.message_id}>${foreignText(one.kind, 40)}</code>`,
      html`<${Ago} at=${one.created_at} />`,
      String(one.attempts),
      html`<${Outcome} delivery=${one} />`,
      one.state !== 'waiting' && html`<button type="button" aria-label=${`Send ${one.message_id} again`} onClick=${() => void again(one.id)}>Send again</button>`,
    ],
  });
  return html`
    <${Dialog} title=${`Deliveries to ${nameOf(hook)}`} testid="delivery-log" wide onClose=${onClose}>
      ${problem && html`<p class="tone-warning" role="status">${problem.detail}</p>`}
      ${isLoading && html`<${Skeleton} rows=${3} />`}
      ${data && deliveries.length === 0 && html`<${Empty} title="Nothing was sent yet."><p>The button <em>Test</em> sends something.</p><//>`}
      ${deliveries.length > 0 && html`<${Table} name="deliveries" label="Deliveries" columns=${COLUMNS} held=${held} row=${row} />`}
    <//>
  `;
}

/** @param {{delivery: Delivery}} props */
function Outcome({ delivery: { state, status, error, duration_ms: took, due_at: dueAt } }) {
  if (state === 'delivered') return html`<span class="state tone-ok"><${Icon} name="ok" />${status} in ${duration(took)}</span>`;
  if (state === 'failed') return html`<span class="state tone-critical"><${Icon} name="critical" /><bdi>${foreignText(error, 240) || 'Given up'}</bdi></span>`;
  if (error === null) return html`<span class="state tone-muted"><${Icon} name="queued" />On its way</span>`;
  return html`<span class="state tone-retry"><${Icon} name="retry" /><bdi>${foreignText(error, 240)}; next try at ${clockTime(dueAt)}</bdi></span>`;
}
