// @ts-check
/** Which of the shell's dialogs is open: at most one. */

import { signal } from '@preact/signals';
import { html } from '../ui/html.js';
import { Help } from './help.js';
import { Palette } from './palette.js';

/** @typedef {'help' | 'palette'} Name */

/** @type {import('@preact/signals').Signal<Name | null>} */
const open = signal(null);

/** @param {Name} name */
export function openDialog(name) {
  open.value = open.value === name ? null : name;
}

function closeDialog() {
  open.value = null;
}

export function Dialogs() {
  if (open.value === 'help') return html`<${Help} onClose=${closeDialog} />`;
  if (open.value === 'palette') return html`<${Palette} onClose=${closeDialog} />`;
  return null;
}
