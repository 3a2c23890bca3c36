// @ts-check
/** Icons out of the sprite. An icon never stands alone: a word is next to it, so it is hidden from screen readers. */

import { html } from './html.js';

const SPRITE = new URL('../../icons.svg', import.meta.url).pathname;

/**
 * @param {{name: string, tone?: string}} props `name`: id of a symbol in `icons.svg`
 */
export function Icon({ name, tone }) {
  return html`<svg class=${tone ? `icon tone-${tone}` : 'icon'} aria-hidden="true"><use href=${`${SPRITE}#${name}`} /></svg>`;
}
