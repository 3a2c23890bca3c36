// @ts-check
/** The page's keys: `?` help, `t` theme, Esc closes. Keys with a modifier, and those typed into a field, are left alone. */

import { el } from './ui/dom.js';
import { closeToast } from './ui/toast.js';
import { helpDialog } from './ui/dialog.js';
import { icon } from './ui/icons.js';

/**
 * @param {HTMLElement} slot gets the help button
 * @param {{next: () => void}} theme
 */
export function startKeys(slot, theme) {
  const dialog = helpDialog();
  document.body.append(dialog);
  const button = el('button', { type: 'button', 'data-testid': 'help-button', 'aria-keyshortcuts': '?' }, icon('help'), el('span', { class: 'tool-word' }, 'Help'));
  button.addEventListener('click', () => dialog.showModal());
  slot.append(button);
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isField(event.target)) return;
    if (event.key === '?') toggle(dialog);
    else if (event.key === 't') theme.next();
    else if (event.key === 'Escape' && !dialog.open) closeToast();
    else return;
    if (event.key !== 'Escape') event.preventDefault();
  });
}

/** @param {HTMLDialogElement} dialog */
function toggle(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
