// @ts-check
/** Whether the hub serves another version of this page by now. It is looked for when the hub was restarted, and never loaded unasked. */

import { effect, signal } from '@preact/signals';
import { at, version } from '../base.js';
import { boots } from '../store/hub.js';

const AGAIN_MS = 5000;
const TRIES = 6;

export const isOutdated = signal(false);

export function watchVersion() {
  effect(() => {
    if (boots.value > 0) void look(TRIES);
  });
}

/** @param {number} tries the web processes may come back after their hub */
async function look(tries) {
  try {
    const answer = await fetch(at(`/static/${version}/js/main.js`), { method: 'HEAD', cache: 'no-store' });
    if (answer.status === 404) isOutdated.value = true;
    if (answer.ok || answer.status === 404) return;
  } catch {
    // not back yet
  }
  if (tries > 1) setTimeout(() => void look(tries - 1), AGAIN_MS);
}
