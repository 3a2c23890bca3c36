// @ts-check
/** The hub's storage: how large it is, how much room there is, and how the last transaction went. */

import { html } from '../ui/html.js';
import { bytes, count, foreignText, plural } from '../ui/text.js';
import { Ago } from '../ui/time.js';

/** @param {{storage: any}} props */
export function StorageFacts({ storage }) {
  if (!storage) return html`<p class="quiet">The queue does not answer now.</p>`;
  const last = storage.last_commit;
  /** @type {[string, import('../ui/html.js').Children][]} */
  const facts = [
    ['Database', bytes(storage.database_bytes)],
    ['Write-ahead log', bytes(storage.wal_bytes)],
    ['Disk free', `${bytes(storage.disk_free)} of ${bytes(storage.disk_size)}`],
    ['Last commit', last ? html`<${Ago} at=${last.at} />, ${plural(last.messages, 'message')} in ${milliseconds(last.took_us)}` : 'none yet'],
    ['Commits', count(storage.commits)],
    ['Schema', count(storage.schema)],
    ['File', html`<code>${foreignText(storage.path, 200)}</code>`],
  ];
  return html`<dl class="facts" data-testid="storage">${facts.flatMap(([name, value]) => [html`<dt>${name}</dt>`, html`<dd>${value}</dd>`])}</dl>`;
}

/** @param {number} us */
function milliseconds(us) {
  return `${(us / 1000).toFixed(us < 10000 ? 2 : 0)} ms`;
}
