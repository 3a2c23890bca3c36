// @ts-check
/** What a reader can set: how the page looks here, whom the hub tells outside, and who may talk to it. */

import { AppearanceSettings } from '../panels/appearance_settings.js';
import { NotificationSettings } from '../panels/notification_settings.js';
import { TokenSettings } from '../panels/token_settings.js';
import { WebhookSettings } from '../panels/webhook_settings.js';
import { html } from '../ui/html.js';

export function Settings() {
  return html`
    <div class="settings">
      <div class="settings-column"><${AppearanceSettings} /><${NotificationSettings} /></div>
      <div class="settings-column"><${WebhookSettings} /><${TokenSettings} /></div>
    </div>
  `;
}
