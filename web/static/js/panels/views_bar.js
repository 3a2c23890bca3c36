// @ts-check
/** The named filters: those of the page and those that this browser keeps, which can be renamed and deleted. */

import { useState } from 'preact/hooks';
import { SHIPPED, deleteView, renameView, saveView, savedViews } from '../store/views.js';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';
import { foreignText } from '../ui/text.js';

/** @typedef {import('../store/views.js').View} View */

/** @param {{view: View, onOpen: (view: View) => void}} props `view`: the present filter and order, with no name */
export function ViewsBar({ view, onOpen }) {
  const [asks, setAsks] = useState(/** @type {'save' | 'manage' | null} */ (null));
  const close = () => setAsks(null);
  const own = savedViews.value;
  return html`
    <nav class="views" aria-label="Views" data-testid="views">
      ${[...SHIPPED, ...own].map((one) => html`<${ViewButton} key=${one.name} one=${one} isOpen=${isSame(one, view)} onOpen=${onOpen} />`)}
      <span class="views-own">
        <button type="button" onClick=${() => setAsks('save')}>Save view</button>
        ${own.length > 0 && html`<button type="button" onClick=${() => setAsks('manage')}>Edit views</button>`}
      </span>
    </nav>
    ${asks === 'save' && html`<${SaveDialog} view=${view} onClose=${close} />`}
    ${asks === 'manage' && html`<${ManageDialog} onClose=${close} />`}
  `;
}

/** @param {{one: View, isOpen: boolean, onOpen: (view: View) => void}} props */
function ViewButton({ one, isOpen, onOpen }) {
  return html`<button type="button" class="view" aria-current=${isOpen ? 'true' : null} onClick=${() => onOpen(one)}><bdi>${foreignText(one.name, 40)}</bdi></button>`;
}

/** @param {{view: View, onClose: () => void}} props */
function SaveDialog({ view, onClose }) {
  const [name, setName] = useState('');
  const [fault, setFault] = useState('');
  const save = (/** @type {Event} */ event) => {
    event.preventDefault();
    const why = saveView({ ...view, name });
    if (why === null) onClose();
    else setFault(why);
  };
  return html`
    <${Dialog} title="Save this view" onClose=${onClose} testid="save-view">
      <form class="stack" onSubmit=${save}>
        <label class="stack">Name<${NameField} value=${name} onValue=${setName} /></label>
        <p class="quiet small">Kept in this browser: <code>${foreignText(view.q) || 'every task'}</code></p>
        <p class="tone-critical" role="alert">${fault}</p>
        <div><button type="submit">Save</button></div>
      </form>
    <//>
  `;
}

/** @param {{onClose: () => void}} props */
function ManageDialog({ onClose }) {
  return html`
    <${Dialog} title="Your views" onClose=${onClose} testid="manage-views">
      <ul class="stack">${savedViews.value.map((one) => html`<${OwnView} key=${one.name} one=${one} />`)}</ul>
    <//>
  `;
}

/** @param {{one: View}} props */
function OwnView({ one }) {
  const [name, setName] = useState(one.name);
  const [fault, setFault] = useState('');
  const rename = (/** @type {Event} */ event) => {
    event.preventDefault();
    setFault(renameView(one.name, name) ?? '');
  };
  return html`
    <li>
      <form class="own-view" onSubmit=${rename}>
        <${NameField} value=${name} onValue=${setName} label=${`Name of ${one.name}`} />
        <button type="submit">Rename</button>
        <button type="button" aria-label=${`Delete ${one.name}`} onClick=${() => deleteView(one.name)}>Delete</button>
      </form>
      <p class="tone-critical" role="alert">${fault}</p>
    </li>
  `;
}

/** @param {{value: string, onValue: (value: string) => void, label?: string}} props */
function NameField({ value, onValue, label }) {
  const typed = (/** @type {InputEvent} */ event) => onValue(/** @type {HTMLInputElement} */ (event.target).value);
  return html`<input type="text" value=${value} maxlength="60" aria-label=${label} autocomplete="off" onInput=${typed} />`;
}

/**
 * @param {View} one
 * @param {View} other
 */
function isSame(one, other) {
  return one.q === other.q && one.sort === other.sort;
}
