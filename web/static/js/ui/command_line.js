// @ts-check
/** A command for a terminal, with a button that copies it. */

import { useRef } from 'preact/hooks';
import { html } from './html.js';
import { Icon } from './icons.js';
import { toast } from './toast.js';

/** @param {{line: string}} props */
export function CommandLine({ line }) {
  const code = useRef(/** @type {HTMLElement | null} */ (null));
  return html`
    <div class="command">
      <code ref=${code}>${line}</code>
      <button type="button" aria-label=${`Copy the command ${line}`} onClick=${() => void copy(line, code.current)}><${Icon} name="copy" />Copy</button>
    </div>
  `;
}

/**
 * @param {string} text
 * @param {HTMLElement | null} [source] is selected when the browser does not let the page write to the clipboard
 */
export async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    toast('ok', 'Copied.');
  } catch {
    if (source) window.getSelection()?.selectAllChildren(source);
    toast('info', source ? 'Selected. Press Ctrl+C to copy.' : 'The browser does not let the page copy.');
  }
}
