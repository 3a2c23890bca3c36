// @ts-check
/** R10: stops changes on screen, not the connection; says how many wait. */

import { paused, pending, togglePause } from '../store/hub.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { count } from '../ui/text.js';

export function PauseButton() {
  const isPaused = paused.value;
  const waiting = pending.value > 0 ? ` · ${count(pending.value)} pending` : '';
  return html`
    <button
      type="button"
      class=${isPaused ? 'pause is-paused tone-warning' : 'pause'}
      aria-pressed=${String(isPaused)}
      aria-keyshortcuts="p"
      title=${isPaused ? 'Show what happens again' : 'Stop changes on screen'}
      data-testid="pause-button"
      onClick=${togglePause}
    >
      <${Icon} name=${isPaused ? 'working' : 'paused'} />${isPaused ? html`<span>Paused${waiting}</span>` : html`<span class="tool-word">Pause</span>`}
    </button>
  `;
}
