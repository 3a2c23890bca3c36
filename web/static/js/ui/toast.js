// @ts-check
/**
 * Says things: short notes at the edge of the page, and sentences for screen readers, of which at most one is spoken
 * in five seconds (the newest wins, because an old state is no news).
 */

import { byId, el, setText } from './dom.js';
import { icon } from './icons.js';

const SHOWN_MS = 6000;
const SHOWN_AT_ONCE = 3;
const ANNOUNCE_EVERY_MS = 5000;

const ICONS = { ok: 'ok', info: 'dot', warning: 'warning', critical: 'critical' };

let announcedAt = -Infinity;
let waiting = '';
let timer = 0;

/**
 * @param {'ok' | 'info' | 'warning' | 'critical'} tone
 * @param {string} text
 */
export function toast(tone, text) {
  const close = el('button', { type: 'button', 'aria-label': 'Close this note' }, icon('cancelled'));
  const node = el('div', { class: `toast tone-${tone}` }, icon(ICONS[tone]), el('bdi', { class: 'words' }, text), close);
  close.addEventListener('click', () => node.remove());
  const box = byId('toasts');
  box.append(node);
  while (box.children.length > SHOWN_AT_ONCE) box.firstElementChild?.remove();
  expire(node);
  announce(text);
}

/** Close the newest note. Returns whether there was one. */
export function closeToast() {
  const newest = byId('toasts').lastElementChild;
  newest?.remove();
  return newest !== null;
}

/**
 * A note that is being read, by pointer or focus, stays.
 * @param {HTMLElement} node
 */
function expire(node) {
  setTimeout(() => {
    if (node.matches(':hover, :focus-within')) expire(node);
    else node.remove();
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
    setText(byId('announcer'), waiting);
  }, delay);
}
