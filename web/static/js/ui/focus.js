// @ts-check
/** Where the focus goes when there is no better place: to the title, from which a Tab leads into the page. */

import { effect } from '@preact/signals';
import { wall } from './clock.js';

export function focusTitle() {
  document.querySelector('h1')?.focus({ preventScroll: true });
}

/**
 * A button that has done its work often goes, and the browser gives the focus that it had to nothing; who works with the keyboard would
 * begin at the top of the document.
 */
export function keepFocus() {
  /** @type {EventTarget | null} */
  let last = null;
  document.addEventListener('focusin', (event) => (last = event.target));
  document.addEventListener('pointerdown', () => (last = null));
  effect(() => {
    void wall.value; // once a second
    if (!(last instanceof Element) || last.isConnected) return;
    last = null;
    if (document.activeElement === document.body) focusTitle();
  });
}
