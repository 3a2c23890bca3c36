// @ts-check
/** Notifications of this browser: on or off, what that means here, a test, and the other browsers that the hub tells. */

import { useState } from 'preact/hooks';
import { remove } from '../net/api.js';
import { disable, enable, isOn, permission, pushId, sendTest } from '../store/notifications.js';
import { useResource } from '../store/resource.js';
import { CommandLine } from '../ui/command_line.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Panel } from '../ui/panel.js';
import { foreignText } from '../ui/text.js';
import { Ago } from '../ui/time.js';
import { toast } from '../ui/toast.js';

/** @typedef {{id: string, label: string, service: string, created_at: number}} Browser */

export function NotificationSettings() {
  const { data, problem, reload } = useResource('/api/push', { onEvents: false });
  const [isBusy, setBusy] = useState(false);
  const run = (/** @type {() => Promise<string | void>} */ work) => {
    if (isBusy) return;
    setBusy(true);
    work()
      .then((said) => said && toast('ok', said))
      .catch((error) => toast('warning', error instanceof Error ? error.message : String(error)))
      .finally(() => {
        setBusy(false);
        reload();
      });
  };
  return html`
    <${Panel} title="Notifications" area="notifications" padded>
      <p>An agent that went away, health that got worse or better, and tasks that were given up.</p>
      <${Here} isBusy=${isBusy} run=${run} />
      ${problem && html`<p class="tone-warning" role="status">${problem.detail}</p>`}
      ${data && !data.available && html`<${Install} line=${String(data.install)} />`}
      ${data && html`<${Browsers} browsers=${data.subscriptions} run=${run} />`}
    <//>
  `;
}

/** @param {{isBusy: boolean, run: (work: () => Promise<string | void>) => void}} props */
function Here({ isBusy, run }) {
  const [tone, icon, words] = standing();
  return html`
    <p class=${`state tone-${tone}`} data-testid="notification-state"><${Icon} name=${icon} /><span class="words">${words}</span></p>
    <div class="setting-actions">
      ${isOn.value
        ? html`
            <button type="button" aria-disabled=${isBusy} onClick=${() => run(disable)}>Turn off</button>
            <button type="button" aria-disabled=${isBusy} onClick=${() => run(sendTest)}>Send a test</button>
          `
        : permission.value !== 'unsupported' && html`<button type="button" aria-disabled=${isBusy} onClick=${() => run(enable)}>Turn on here</button>`}
    </div>
  `;
}

/** @returns {[string, string, string]} tone, icon, sentence */
function standing() {
  if (permission.value === 'unsupported') return ['muted', 'offline', 'This browser shows notifications only from pages over https or from this machine.'];
  if (permission.value === 'denied') return ['warning', 'warning', 'The browser blocks notifications from this hub. Allow them in its settings for this site.'];
  if (!isOn.value) return ['muted', 'idle', 'Off in this browser.'];
  if (pushId.value) return ['ok', 'ok', 'On, also when no tab is open.'];
  return ['info', 'dot', 'On while a tab of this hub is open.'];
}

/** @param {{line: string}} props */
function Install({ line }) {
  return html`
    <div class="setting-note" data-testid="push-install">
      <p>To be told without an open tab, the hub needs a library. Install it and restart the hub:</p>
      <${CommandLine} line=${line} />
    </div>
  `;
}

/** @param {{browsers: Browser[], run: (work: () => Promise<string | void>) => void}} props */
function Browsers({ browsers, run }) {
  if (browsers.length === 0) return null;
  return html`
    <h3>Browsers that the hub tells</h3>
    <ul class="setting-list" data-testid="browsers">
      ${browsers.map(
        (one) => html`
          <li key=${one.id}>
            <span><bdi class="strong">${foreignText(one.label, 60) || 'A browser'}</bdi> ${one.id === pushId.value && html`<span class="tag">this one</span>`}</span>
            <span class="quiet">since <${Ago} at=${one.created_at} /></span>
            <button type="button" aria-label=${`Tell ${foreignText(one.label, 60) || 'this browser'} nothing more`} onClick=${() => run(() => forget(one.id))}>Remove</button>
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {string} id */
async function forget(id) {
  if (id === pushId.peek()) await disable();
  else await remove(`/api/push/subscriptions/${encodeURIComponent(id)}`);
  return 'Removed.';
}
