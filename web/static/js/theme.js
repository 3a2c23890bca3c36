// @ts-check
/** System, light or dark: the choice is kept in this browser. */

import { el, setText } from './ui/dom.js';
import { icon, setIcon } from './ui/icons.js';
import { announce } from './ui/toast.js';

const KEY = 'agentcom_theme';
const THEMES = ['system', 'light', 'dark'];

/**
 * Apply the kept theme and add the button that changes it.
 * @param {HTMLElement} slot
 * @returns {{next: () => void}}
 */
export function startTheme(slot) {
  let current = read();
  const symbol = icon('theme-system');
  const word = el('span', { class: 'tool-word' });
  const button = el('button', { type: 'button', 'data-testid': 'theme-button', 'aria-keyshortcuts': 't' }, symbol, word);
  const show = () => {
    if (current === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = current;
    setIcon(symbol, `theme-${current}`);
    setText(word, `Theme: ${current}`);
  };
  const next = () => {
    current = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? 'system';
    keep(current);
    show();
    announce(`Theme: ${current}.`);
  };
  button.addEventListener('click', next);
  slot.append(button);
  show();
  return { next };
}

/** @returns {string} */
function read() {
  try {
    const kept = localStorage.getItem(KEY) ?? '';
    return THEMES.includes(kept) ? kept : 'system';
  } catch {
    return 'system'; // storage can be switched off; then the choice lasts as long as the page
  }
}

/** @param {string} theme */
function keep(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // as above
  }
}
