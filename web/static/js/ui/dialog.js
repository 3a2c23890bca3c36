// @ts-check
/** The help dialog, and a command line with a button that copies it. */

import { el } from './dom.js';
import { icon } from './icons.js';
import { toast } from './toast.js';

const KEYS = [
  ['?', 'Open or close this help'],
  ['t', 'Theme: system, light, dark'],
  ['Tab', 'Next control or list; arrow keys scroll a list'],
  ['Esc', 'Close the dialog or the newest note'],
];

/** @returns {HTMLDialogElement} closed; the caller appends it */
export function helpDialog() {
  const close = el('button', { type: 'button' }, 'Close');
  const keys = el('dl', { class: 'keys' });
  for (const [key, what] of KEYS) keys.append(el('dt', {}, el('kbd', {}, key)), el('dd', {}, what));
  const dialog = el(
    'dialog',
    { 'aria-labelledby': 'help-title', 'data-testid': 'help-dialog' },
    el('div', { class: 'dialog-head' }, el('h2', { id: 'help-title' }, 'Help'), close),
    el(
      'div',
      { class: 'dialog-body' },
      keys,
      el('p', {}, 'While the pointer or the focus is inside a list, its rows keep still. New rows wait behind the "new" button.'),
      el('p', {}, 'Numbers are hatched while they are not live. Hover over a time for the date and the time zone.'),
    ),
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  return dialog;
}

/**
 * @param {string} line a command for a terminal
 * @returns {HTMLElement}
 */
export function commandLine(line) {
  const code = el('code', {}, line);
  const button = el('button', { type: 'button', 'aria-label': `Copy the command ${line}` }, icon('copy'), 'Copy');
  button.addEventListener('click', () => void copy(line, code));
  return el('div', { class: 'command' }, code, button);
}

/**
 * @param {string} text
 * @param {HTMLElement} source is selected when the browser does not let the page write to the clipboard
 */
export async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    toast('ok', 'Copied.');
  } catch {
    window.getSelection()?.selectAllChildren(source);
    toast('info', 'Selected. Press Ctrl+C to copy.');
  }
}
