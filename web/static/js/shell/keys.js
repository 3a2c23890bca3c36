// @ts-check
/**
 * The keyboard. Keys typed into a field, and keys with a modifier, are left alone, but for Ctrl+K; single keys can be switched off.
 * A page adds its own with `useKeys`, and they stand in the help dialog while it is shown.
 */

import { useEffect, useRef } from 'preact/hooks';
import { pages } from '../pages.js';
import { navigate } from '../router.js';
import { nextTheme, singleKeys, theme } from '../store/choices.js';
import { togglePause } from '../store/hub.js';
import { announce, closeToast } from '../ui/toast.js';
import { openDialog } from './dialogs.js';

/** How long the second key after `g` is waited for. */
const SECOND_KEY_MS = 1500;

/** @typedef {{key: string, what: string, run: (event: KeyboardEvent) => void}} Shortcut */

/** @type {Shortcut[]} */
const COMMON = [
  { key: '?', what: 'Open or close this help', run: () => openDialog('help') },
  { key: '/', what: 'Filter the list, or search', run: () => openDialog('palette') },
  { key: 'j', what: 'Next row; Enter opens it', run: () => stepRow(1) },
  { key: 'k', what: 'Row before', run: () => stepRow(-1) },
  { key: 'p', what: 'Pause or resume changes on screen', run: togglePause },
  { key: 't', what: 'Theme: system, light, dark', run: turnTheme },
];

/** Those of the shown page; the newest come first. @type {Set<Shortcut[]>} */
const added = new Set();

let leaderUntil = 0;

/**
 * Keys of the page that is shown. One that is also common (`/`) replaces it.
 * @param {Shortcut[]} list
 */
export function useKeys(list) {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const mine = list.map((one, place) => ({ ...one, run: (/** @type {KeyboardEvent} */ event) => latest.current[place]?.run(event) }));
    added.add(mine);
    return () => {
      added.delete(mine);
    };
  }, []);
}

/** @returns {{keys: string[], what: string}[]} for the help */
export function shortcuts() {
  const own = [...added].flat().filter(({ what }) => what);
  const taken = new Set(own.map(({ key }) => key));
  return [
    { keys: ['Ctrl K'], what: 'Search pages, agents, tasks and actions' },
    ...[...own, ...COMMON.filter(({ key }) => !taken.has(key))].map(({ key, what }) => ({ keys: [key], what })),
    ...pages.filter(({ key }) => key).map(({ key, title }) => ({ keys: ['g', String(key)], what: title })),
    { keys: ['Esc'], what: 'Close what is open, or the newest note' },
  ];
}

export function startKeys() {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      openDialog('palette');
    } else if (!event.ctrlKey && !event.metaKey && !event.altKey && !isField(event.target)) {
      pressed(event);
    }
  });
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const isModal = document.querySelector('dialog[open]') !== null;
  if (event.key === 'Escape' && !isModal && !event.defaultPrevented) closeToast();
  if (!singleKeys.peek() || event.defaultPrevented || (isModal && event.key !== '?')) return;
  if (performance.now() < leaderUntil) {
    leaderUntil = 0;
    const page = pages.find(({ key }) => key === event.key);
    if (page) return done(event, () => navigate(page.path));
  }
  if (event.key === 'g') {
    leaderUntil = performance.now() + SECOND_KEY_MS;
    return;
  }
  const own = [...added].reverse().flat();
  const found = [...own, ...COMMON].find(({ key }) => key === event.key);
  if (found) done(event, () => found.run(event));
}

/**
 * @param {KeyboardEvent} event
 * @param {() => void} run
 */
function done(event, run) {
  event.preventDefault();
  run();
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLElement && target.matches('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]');
}

/**
 * Moves the focus to the link of the next row: of the list that has the focus, or of the first one on the page.
 * @param {number} step
 */
function stepRow(step) {
  const list = document.activeElement?.closest('tbody') ?? document.querySelector('main tbody');
  const rows = [...(list?.querySelectorAll('tr') ?? [])];
  const present = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[present < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, present + step))];
  /** @type {HTMLElement | null | undefined} */ (next?.querySelector('a[href], button, input'))?.focus();
}

function turnTheme() {
  nextTheme();
  announce(`Theme: ${theme.peek()}.`);
}
