// @ts-check
/** Whether what the page shows is live, in one word. */

import { connection } from '../store/hub.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { wordsFor } from './connection_words.js';

export function ConnectionChip() {
  const { symbol, tone, chip } = wordsFor(connection.value);
  return html`
    <span class=${`chip tone-${tone}`} data-testid="connection-chip" data-phase=${connection.value.phase}>
      <${Icon} name=${symbol} /><span>${chip}</span>
    </span>
  `;
}
