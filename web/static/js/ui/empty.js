// @ts-check
/** What stands where there is nothing to list: why, and what to do next. */

import { html } from './html.js';

/** @param {{title: import('./html.js').Children, testid?: string, children?: import('./html.js').Children}} props */
export function Empty({ title, testid, children }) {
  return html`<div class="empty" data-testid=${testid}><strong>${title}</strong>${children}</div>`;
}

/**
 * Grey bars in the place of rows that are on their way.
 * @param {{rows?: number}} props
 */
export function Skeleton({ rows = 4 }) {
  return html`<div class="skeleton" aria-hidden="true">${Array.from({ length: rows }, (_, row) => html`<span key=${row}></span>`)}</div>`;
}
