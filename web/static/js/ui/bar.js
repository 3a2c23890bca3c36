// @ts-check
/** A bar that compares a number with others; the number stands beside it, so screen readers pass over it. */

import { useLayoutEffect, useRef } from 'preact/hooks';
import { html } from './html.js';

/** @param {{share: number, tone?: string}} props `share`: 0 to 1; what is more than nothing is seen */
export function Bar({ share, tone = 'info' }) {
  const fill = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    fill.current?.style.setProperty('--share', `${share > 0 ? Math.max(2, Math.min(100, 100 * share)) : 0}%`);
  }, [share]);
  return html`<span class="bar" aria-hidden="true"><span class=${`bar-fill tone-${tone}`} ref=${fill}></span></span>`;
}
