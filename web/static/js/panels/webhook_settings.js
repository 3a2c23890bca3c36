// @ts-check
/** Webhooks: who is told, whether it arrives, and the log of every delivery. */

import { useState } from 'preact/hooks';
import { post, reasonOf, remove } from '../net/api.js';
import { useResource } from '../store/resource.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { foreignText } from '../ui/text.js';
import { toast } from '../ui/toast.js';
import { AddWebhook } from './add_webhook.js';
import { DeliveryLog } from './delivery_log.js';

/**
 * @typedef {{id: string, url: string, label: string, events: string[], failures: number, disabled_at: number | null,
 *   disabled_because: string | null, created_at: number, created_by: string | null}} Webhook
 */

export function WebhookSettings() {
  const { data, problem, isLoading, reload } = useResource('/api/webhooks', { onEvents: false });
  const [open, setOpen] = useState(/** @type {'add' | Webhook | null} */ (null));
  /** @type {Webhook[]} */
  const hooks = data?.webhooks ?? [];
  const add = html`<button type="button" data-testid="add-webhook" onClick=${() => setOpen('add')}>Add a webhook</button>`;
  return html`
    <${Panel} title="Webhooks" area="webhooks" padded aside=${add}>
      <p>Signed requests to a program of yours, about the same things as notifications.</p>
      ${problem && html`<p class="tone-warning" role="status">${problem.detail}</p>`}
      ${isLoading && html`<${Skeleton} rows=${2} />`}
      ${data && hooks.length === 0 && html`<${Empty} title="Nobody is told."><p>Also in a terminal: <code>agentcom webhook add URL</code></p><//>`}
      <ul class="setting-list" data-testid="webhooks">
        ${hooks.map((hook) => html`<${Row} key=${hook.id} hook=${hook} reload=${reload} onLog=${() => setOpen(hook)} />`)}
      </ul>
      ${open === 'add' && html`<${AddWebhook} onClose=${() => setOpen(null)} onAdded=${reload} />`}
      ${open !== null && open !== 'add' && html`<${DeliveryLog} hook=${open} onClose=${() => setOpen(null)} />`}
    <//>
  `;
}

/** @param {{hook: Webhook, reload: () => void, onLog: () => void}} props */
function Row({ hook, reload, onLog }) {
  const [isBusy, setBusy] = useState(false);
  const [isSure, setSure] = useState(false);
  const name = nameOf(hook);
  const path = `/api/webhooks/${encodeURIComponent(hook.id)}`;
  const run = (/** @type {Promise<any>} */ work, /** @type {string} */ said) => {
    setBusy(true);
    work
      .then(() => toast('ok', said))
      .catch((error) => toast('warning', reasonOf(error)))
      .finally(() => {
        setBusy(false);
        reload();
      });
  };
  const button = (/** @type {string} */ word, /** @type {() => void} */ act) =>
    html`<button type="button" aria-disabled=${isBusy} aria-label=${`${word}: ${name}`} onClick=${() => !isBusy && act()}>${word}</button>`;
  return html`
    <li class="tall" data-testid="webhook-row">
      <span><bdi class="strong">${name}</bdi> ${hook.label && html`<bdi class="quiet">${foreignText(hook.url)}</bdi>`}</span>
      <span class="quiet">${hook.events.length > 0 ? hook.events.join(', ') : 'everything'}</span>
      <${Standing} hook=${hook} />
      <span class="setting-actions">
        ${hook.disabled_at
          ? button('Enable', () => run(post(`${path}/enable`), 'It is told again.'))
          : button('Test', () => run(post(`${path}/test`), 'A test is on its way; the log says what becomes of it.'))}
        ${button('Log', onLog)}
        ${isSure ? button('Really remove', () => run(remove(path), 'Removed.')) : button('Remove', () => setSure(true))}
      </span>
    </li>
  `;
}

/** @param {{hook: Webhook}} props */
function Standing({ hook }) {
  if (hook.disabled_at) return html`<span class="state tone-critical"><${Icon} name="critical" /><bdi>Disabled: ${foreignText(hook.disabled_because, 240)}</bdi></span>`;
  if (hook.failures > 0) return html`<span class="state tone-warning"><${Icon} name="warning" />${hook.failures} failed in a row</span>`;
  return html`<span class="state tone-ok"><${Icon} name="ok" />Ok</span>`;
}

/** @param {{label: string, url: string}} hook */
export function nameOf({ label, url }) {
  return foreignText(label, 80) || foreignText(url, 120);
}
