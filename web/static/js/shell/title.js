// @ts-check
/** The heading of the page and the title of the window, which begins with how many conditions want attention. */

import { computed, effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { unacknowledged } from '../store/hub.js';
import { place, route } from '../router.js';

export const PRODUCT = 'AgentCom';

/** What the component of the present place calls itself. */
const own = signal({ place: '', text: '' });

export const heading = computed(() => {
  if (own.value.place === place.value && own.value.text) return own.value.text;
  return route.value.page?.title ?? 'There is no such page';
});

/**
 * For a page that knows a better heading than its name: the title of its task, the name of its agent.
 * @param {string} text
 */
export function useTitle(text) {
  useEffect(() => {
    own.value = { place: place.peek(), text };
  }, [text]);
}

export function startTitle() {
  effect(() => {
    const many = unacknowledged.value.length;
    document.title = `${many > 0 ? `(${many}) ` : ''}${heading.value} · ${PRODUCT}`;
  });
}
