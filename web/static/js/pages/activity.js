// @ts-check
/** What happens, live, and who changed what. */

import { at } from '../base.js';
import { AuditLog } from '../panels/audit_log.js';
import { EventStream } from '../panels/event_stream.js';
import { html } from '../ui/html.js';

/** @type {{id: string, word: string}[]} */
const VIEWS = [
  { id: 'live', word: 'Live events' },
  { id: 'audit', word: 'Audit log' },
];

/** @param {{query: URLSearchParams}} props */
export function Activity({ query }) {
  const view = query.get('view') === 'audit' ? 'audit' : 'live';
  return html`
    <nav class="views" aria-label="Views">
      ${VIEWS.map(({ id, word }) => html`<a key=${id} class="button view" href=${at(id === 'live' ? '/activity' : `/activity?view=${id}`)} aria-current=${id === view ? 'page' : null}>${word}</a>`)}
    </nav>
    ${view === 'audit' ? html`<${AuditLog} query=${query} />` : html`<${EventStream} query=${query} />`}
  `;
}
