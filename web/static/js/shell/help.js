// @ts-check
/** The help dialog: the keys, and the switch that turns single keys off. */

import { singleKeys } from '../store/choices.js';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';
import { shortcuts } from './keys.js';

/** @param {{onClose: () => void}} props */
export function Help({ onClose }) {
  return html`
    <${Dialog} title="Help" testid="help-dialog" onClose=${onClose}>
      <dl class="keys">
        ${shortcuts().map(({ keys, what }) => html`<dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${what}</dd>`)}
      </dl>
      <label class="check">
        <input type="checkbox" checked=${singleKeys.value} onChange=${(/** @type {any} */ event) => (singleKeys.value = event.target.checked)} />
        Single keys do something
      </label>
      <p>While the pointer, the focus or a selection is inside a list, its rows keep still. New rows wait behind the "new" button.</p>
      <p>Numbers are hatched while they are not live. Point at a time for its date and time zone.</p>
    <//>
  `;
}
