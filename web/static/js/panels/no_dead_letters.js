// @ts-check
/** Good news. */

import { Empty } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';

export function NoDeadLetters() {
  const title = html`<span class="state tone-ok"><${Icon} name="ok" /><span>No dead letters.</span></span>`;
  return html`
    <${Empty} title=${title} testid="empty-dead">
      <p>Tasks that have used up their retries stand here, by what went wrong, until somebody retries or discards them.</p>
    <//>
  `;
}
