// @ts-check
/** What people choose about the page, kept in their browser. */

import { effect } from '@preact/signals';
import { kept } from './kept.js';

export const THEMES = ['system', 'light', 'dark'];

/** system, light or dark. */
export const theme = kept('agentcom.theme', 'system', (value) => typeof value === 'string' && THEMES.includes(value));

export const DENSITIES = ['dense', 'roomy'];

/** How close things stand: dense, or roomy. */
export const density = kept('agentcom.density', 'dense', (value) => typeof value === 'string' && DENSITIES.includes(value));

/** Of absolute times: empty for the browser's own, `UTC`, or a name such as `Europe/Berlin`. */
export const timeZone = kept('agentcom.time-zone', '', isTimeZone);

/** Whether single keys do something (WCAG 2.1.4). */
export const singleKeys = kept('agentcom.single-keys', true);

export function nextTheme() {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
}

export function applyTheme() {
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
}

export function applyDensity() {
  effect(() => {
    document.documentElement.dataset.density = density.value;
  });
}

/** @param {unknown} value */
function isTimeZone(value) {
  if (typeof value !== 'string') return false;
  try {
    return value === '' || Boolean(new Intl.DateTimeFormat('en', { timeZone: value }));
  } catch {
    return false;
  }
}
