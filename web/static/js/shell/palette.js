// @ts-check
/** Ctrl+K: pages, agents, lanes, tasks and actions by their names. A combobox with a listbox; the focus returns where it was. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { fixedEntries, matching, taskEntries } from './palette_entries.js';

const TYPING_MS = 150;
const SHOWN = 12;

/** @param {{onClose: () => void}} props */
export function Palette({ onClose }) {
  const [words, setWords] = useState('');
  const [chosen, setChosen] = useState(0);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const fixed = useMemo(fixedEntries, []);
  const tasks = useTasks(words);
  const found = [...matching(fixed, words), ...tasks].slice(0, SHOWN);
  const marked = Math.min(chosen, found.length - 1);
  useLayoutEffect(() => field.current?.focus(), []);

  /** @param {import('./palette_entries.js').Entry | undefined} entry */
  const run = (entry) => {
    if (!entry) return;
    onClose();
    setTimeout(entry.run); // after the dialog gave the focus back
  };
  const typed = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length > 0) setChosen((marked + step + found.length) % found.length);
    else if (event.key === 'Home') setChosen(0);
    else if (event.key === 'End') setChosen(found.length - 1);
    else if (event.key === 'Enter') run(found[marked]);
    else return;
    event.preventDefault();
  };
  return html`
    <${Dialog} title="Search" testid="palette" onClose=${onClose}>
      <input
        ref=${field}
        type="text"
        class="palette-field"
        role="combobox"
        aria-label="Search pages, agents, tasks and actions"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-autocomplete="list"
        aria-activedescendant=${found.length > 0 ? `palette-${marked}` : null}
        autocomplete="off"
        spellcheck=${false}
        placeholder="Page, agent, task or action"
        value=${words}
        onInput=${(/** @type {any} */ event) => {
          setWords(event.target.value);
          setChosen(0);
        }}
        onKeyDown=${typed}
      />
      <ul id="palette-list" class="palette-list" role="listbox" aria-label="Found">
        ${found.map(
          (entry, place) => html`
            <li key=${entry.id} id=${`palette-${place}`} role="option" aria-selected=${String(place === marked)} data-testid="palette-entry" onClick=${() => run(entry)}>
              <${Icon} name=${entry.icon} /><bdi class="words">${entry.title}</bdi><span class="quiet small">${entry.kind}</span>
            </li>
          `,
        )}
      </ul>
      ${found.length === 0 && html`<p class="quiet" role="status">Nothing is called so.</p>`}
    <//>
  `;
}

/**
 * Tasks are searched by the hub, a moment after the last key.
 * @param {string} words
 */
function useTasks(words) {
  const [found, setFound] = useState(/** @type {import('./palette_entries.js').Entry[]} */ ([]));
  useEffect(() => {
    const asking = new AbortController();
    const timer = setTimeout(() => {
      taskEntries(words, asking.signal).then(setFound, () => setFound([]));
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [words]);
  return found;
}
