// @ts-check
/** The pages: a rail at the left on wide screens, a bar of five entries at the bottom of a phone. */

import { useState } from 'preact/hooks';
import { at } from '../base.js';
import { pages } from '../pages.js';
import { route } from '../router.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';

/** Entries that fit beside each other on a phone; the last is "More" when there are more pages. */
const IN_BAR = 5;

export function Navigation() {
  const [isOpen, setOpen] = useState(false);
  const shown = pages.filter((page) => page.icon);
  const inBar = shown.length > IN_BAR ? IN_BAR - 1 : IN_BAR;
  const current = route.value.page?.within ?? route.value.page?.id;
  const close = () => setOpen(false);
  return html`
    <nav class=${isOpen ? 'rail is-open' : 'rail'} aria-label="Pages" onClick=${close}>
      <ul>
        ${shown.map((page, place) => html`<${Entry} key=${page.id} page=${page} isCurrent=${page.id === current} isMore=${place >= inBar} />`)}
      </ul>
      ${shown.length > IN_BAR &&
      html`
        <button
          type="button"
          class="rail-more"
          aria-expanded=${String(isOpen)}
          onClick=${(/** @type {Event} */ event) => {
            event.stopPropagation();
            setOpen(!isOpen);
          }}
        >
          <${Icon} name=${isOpen ? 'cancelled' : 'more'} /><span>${isOpen ? 'Close' : 'More'}</span>
        </button>
      `}
    </nav>
  `;
}

/** @param {{page: import('../router.js').Page, isCurrent: boolean, isMore: boolean}} props */
function Entry({ page, isCurrent, isMore }) {
  return html`
    <li class=${isMore ? 'is-more' : ''}>
      <a href=${at(page.path)} aria-current=${isCurrent ? 'page' : null} aria-keyshortcuts=${page.key ? `g ${page.key}` : null}>
        <${Icon} name=${page.icon ?? 'dot'} /><span>${page.title}</span>
      </a>
    </li>
  `;
}
