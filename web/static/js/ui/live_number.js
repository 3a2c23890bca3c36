// @ts-check
/** A number that flashes for a moment when it changes, and is hatched while it is not live. */

import { useRef } from 'preact/hooks';
import { html } from './html.js';

/** @param {{text: string, testid?: string}} props */
export function LiveNumber({ text, testid }) {
  const before = useRef({ text, changes: 0 });
  if (before.current.text !== text) before.current = { text, changes: before.current.text === '–' ? 0 : before.current.changes + 1 };
  const { changes } = before.current;
  return html`<span class="live-number" data-testid=${testid}><span key=${changes} class=${changes > 0 ? 'flash' : ''}>${text}</span></span>`;
}
