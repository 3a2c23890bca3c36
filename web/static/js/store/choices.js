// @ts-check
/** What people choose about the page, kept in their browser. */

import { effect } from '@preact/signals';
import { kept } from './kept.js';

export const THEMES = ['system', 'light', 'dark'];

/** system, light or dark. */
export const theme = kept('agentcom.theme', 'system', (value) => typeof value === 'string' && THEMES.includes(value));

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
