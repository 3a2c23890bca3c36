// @ts-check
/**
 * Says things: short notes at the edge of the page, and sentences for screen readers, of which at most one is spoken
 * in five seconds (the newest wins, because an old state is no news).
 */

import { signal } from '@preact/signals';
import { html } from './html.js';
import { Icon } from './icons.js';

const SHOWN_MS = 6000;
const SHOWN_AT_ONCE = 3;
const ANNOUNCE_EVERY_MS = 5000;

/** @typedef {'ok' | 'info' | 'warning' | 'critical'} Tone */

const ICONS = { ok: 'ok', info: 'dot', warning: 'warning', critical: 'critical' };

/** @type {import('@preact/signals').Signal<{id: number, tone: Tone, text: string}[]>} */
const toasts = signal([]);
const announced = signal('');

let made = 0;
let announcedAt = -Infinity;
let waiting = '';
let timer = 0;

/**
 * @param {Tone} tone
 * @param {string} text a whole sentence
 */
export function toast(tone, text) {
  const id = ++made;
  toasts.value = [...toasts.value, { id, tone, text }].slice(-SHOWN_AT_ONCE);
  expire(id);
  announce(text);
}

/** Close the newest note. Returns whether there was one. */
export function closeToast() {
  const had = toasts.value.length > 0;
  toasts.value = toasts.value.slice(0, -1);
  return had;
}

/** @param {number} id */
function close(id) {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/**
 * A note that is being read, by pointer or focus, stays.
 * @param {number} id
 */
function expire(id) {
  setTimeout(() => {
    if (document.querySelector(`[data-toast="${id}"]:is(:hover, :focus-within)`)) expire(id);
    else close(id);
  }, SHOWN_MS);
}

/** @param {string} text a whole sentence */
export function announce(text) {
  waiting = text;
  if (timer) return;
  const delay = Math.max(0, announcedAt + ANNOUNCE_EVERY_MS - performance.now());
  timer = setTimeout(() => {
    timer = 0;
    announcedAt = performance.now();
    announced.value = waiting;
  }, delay);
}

export function Toasts() {
  return html`
    <div class="toasts">
      ${toasts.value.map(
        ({ id, tone, text }) => html`
          <div key=${id} class=${`toast tone-${tone}`} data-toast=${id} data-testid="toast">
            <${Icon} name=${ICONS[tone]} />
            <bdi class="words">${text}</bdi>
            <button type="button" class="plain" aria-label="Close this note" onClick=${() => close(id)}><${Icon} name="cancelled" /></button>
          </div>
        `,
      )}
    </div>
    <div class="unseen" role="status" aria-live="polite" data-testid="announcer">${announced.value}</div>
  `;
}
