// @ts-check
/** The frame around every page: top bar, navigation, banner, the page itself, notes and dialogs. */

import { useEffect, useRef } from 'preact/hooks';
import { Boundary } from '../ui/boundary.js';
import { focusTitle } from '../ui/focus.js';
import { html } from '../ui/html.js';
import { Toasts } from '../ui/toast.js';
import { at } from '../base.js';
import { isClosed } from '../net/access.js';
import { place, route } from '../router.js';
import { isLive, snapshot } from '../store/hub.js';
import { Banner } from './banner.js';
import { Dialogs } from './dialogs.js';
import { Navigation } from './navigation.js';
import { SignIn } from './sign_in.js';
import { TopBar } from './topbar.js';

export function App() {
  const { page, params, query } = route.value;
  useFocusOnHeading();
  const isStale = snapshot.value !== null && !isLive.value;
  return html`
    <a class="skip" href="#content">Skip to the content</a>
    <${TopBar} />
    <${Navigation} />
    <div class=${isStale ? 'stage not-live' : 'stage'}>
      <${Banner} />
      <main id="content" class=${`page-${page?.id ?? 'none'}`} tabindex="0">
        <${Boundary} key=${place.value} what="This page">
          ${isClosed.value ? html`<${SignIn} />` : page ? html`<${page.component} params=${params} query=${query} />` : html`<${NoPage} />`}
        <//>
      </main>
    </div>
    <${Toasts} />
    <${Dialogs} />
  `;
}

/** Who follows a link hears, and sees, where they are; a first load leaves the focus alone. */
function useFocusOnHeading() {
  const before = useRef(place.peek());
  useEffect(() => {
    if (before.current === place.value) return;
    before.current = place.value;
    document.querySelector('main')?.scrollTo({ top: 0 });
    window.scrollTo({ top: 0 });
    focusTitle();
  });
}

function NoPage() {
  return html`<section class="panel"><div class="empty"><strong>There is no page at this address.</strong><a href=${at('/dashboard')}>Overview</a></div></section>`;
}
