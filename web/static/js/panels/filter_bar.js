// @ts-check
/**
 * The filter of a list: its terms as chips, and a field in which the next one is typed with suggestions of the hub. A key that does not
 * exist is said at once, with the nearest one, and nothing is asked.
 */

import { useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../net/api.js';
import { useKeys } from '../shell/keys.js';
import { keysOfFilter, nearest, partsOf, termsOf } from '../store/filter_text.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { count, foreignText } from '../ui/text.js';

const TYPING_MS = 120;

/** @typedef {import('../store/filter_text.js').Suggestion} Suggestion */

/**
 * @param {object} props
 * @param {string} props.q
 * @param {(q: string) => void} props.onChange
 * @param {string} [props.fault] what the hub said is wrong with `q`
 */
export function FilterBar({ q, onChange, fault }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [draft, setDraft] = useState('');
  const [wrong, setWrong] = useState('');
  const [chosen, setChosen] = useState(-1);
  const [isOpen, setOpen] = useState(false);
  const suggestions = useSuggestions(draft, isOpen);
  const terms = termsOf(q);
  useKeys([{ key: '/', what: 'Filter the list', run: () => field.current?.focus() }]);

  const change = (/** @type {string} */ text) => {
    setDraft(text);
    setWrong('');
    setChosen(-1);
    setOpen(true);
  };
  const commit = async (/** @type {string} */ text) => {
    const added = termsOf(text);
    const fault = await faultOf(added);
    setWrong(fault);
    if (fault || added.length === 0) return;
    change('');
    setOpen(false);
    onChange([...terms, ...added].join(' '));
  };
  const take = (/** @type {Suggestion} */ one) => {
    if (!one.text.endsWith(':')) return void commit(signOf(draft) + one.text);
    change(signOf(draft) + one.text);
    field.current?.focus();
  };
  const without = (/** @type {number} */ place) => onChange(terms.filter((_, at) => at !== place).join(' '));
  const edit = (/** @type {number} */ place) => {
    change(terms[place] ?? '');
    without(place);
    field.current?.focus();
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const one = suggestions[chosen];
    if (step && suggestions.length > 0) setChosen((now) => (now + step + suggestions.length + 1) % (suggestions.length + 1) - (now < 0 && step < 0 ? 1 : 0));
    else if (event.key === 'Enter') void (one ? take(one) : commit(draft));
    else if (event.key === 'Tab' && one && isOpen) take(one);
    else if (event.key === 'Escape' && (isOpen || draft)) isOpen ? setOpen(false) : change('');
    else if (event.key === 'Backspace' && draft === '' && terms.length > 0) edit(terms.length - 1);
    else return;
    event.preventDefault();
  };
  const isShown = isOpen && suggestions.length > 0;
  return html`
    <form class="filter-bar" role="search" aria-label="Filter tasks" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <div class="filter-field">
        <${Icon} name="search" />
        ${terms.map((term, place) => html`<${Chip} key=${`${place} ${term}`} term=${term} onEdit=${() => edit(place)} onRemove=${() => without(place)} />`)}
        <input
          ref=${field} type="text" role="combobox" aria-label="Add to the filter" aria-autocomplete="list" aria-expanded=${isShown ? 'true' : 'false'}
          aria-controls="filter-suggestions" aria-activedescendant=${isShown && chosen >= 0 ? `suggestion-${chosen}` : null}
          aria-invalid=${wrong || fault ? 'true' : null} aria-describedby="filter-fault" autocomplete="off" spellcheck=${false} maxlength="500"
          placeholder=${terms.length ? 'and …' : 'state:queued agent:anna error:timeout age:>10m words'} data-testid="filter-input" value=${draft}
          onInput=${(/** @type {InputEvent} */ event) => change(/** @type {HTMLInputElement} */ (event.target).value)}
          onKeyDown=${pressed} onFocus=${() => setOpen(true)} onBlur=${() => setOpen(false)}
        />
        ${terms.length > 0 && html`<button type="button" class="plain" onClick=${() => onChange('')}>Clear</button>`}
      </div>
      <${Suggestions} list=${isShown ? suggestions : []} chosen=${chosen} onTake=${take} />
      <p class="filter-fault tone-critical" id="filter-fault" role="alert" data-testid="filter-fault">${wrong || fault || ''}</p>
    </form>
  `;
}

/** @param {{list: Suggestion[], chosen: number, onTake: (one: Suggestion) => void}} props */
function Suggestions({ list, chosen, onTake }) {
  return html`
    <ul class="suggestions" id="filter-suggestions" role="listbox" aria-label="Suggestions" hidden=${list.length === 0}>
      ${list.map(
        (one, place) => html`
          <li
            key=${one.text} id=${`suggestion-${place}`} role="option" aria-selected=${place === chosen ? 'true' : 'false'} data-testid="suggestion"
            onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()} onClick=${() => onTake(one)}
          >
            <bdi class="strong">${foreignText(one.text, 80)}</bdi><bdi class="quiet small">${foreignText(one.says, 80)}</bdi>
            <span class="number quiet">${one.count === null ? '' : count(one.count)}</span>
          </li>
        `,
      )}
    </ul>
  `;
}

/** @param {{term: string, onEdit: () => void, onRemove: () => void}} props */
function Chip({ term, onEdit, onRemove }) {
  const text = foreignText(term, 60);
  return html`
    <span class="filter-chip" data-testid="filter-chip">
      <button type="button" class="plain" aria-label=${`Change ${text}`} onClick=${onEdit}><bdi>${text}</bdi></button>
      <button type="button" class="plain" aria-label=${`Remove ${text}`} onClick=${onRemove}><${Icon} name="cancelled" /></button>
    </span>
  `;
}

/**
 * What may be typed next, while somebody types.
 * @param {string} draft
 * @param {boolean} isOpen
 * @returns {Suggestion[]}
 */
function useSuggestions(draft, isOpen) {
  const [list, setList] = useState(/** @type {Suggestion[]} */ ([]));
  useEffect(() => {
    if (!isOpen) return;
    const asking = new AbortController();
    const ask = async () => {
      try {
        setList(await suggestionsFor(draft, asking.signal));
      } catch {
        setList([]); // without suggestions one can still type
      }
    };
    const timer = setTimeout(ask, draft === '' ? 0 : TYPING_MS);
    return () => {
      clearTimeout(timer);
      asking.abort();
    };
  }, [draft, isOpen]);
  return list;
}

/**
 * @param {string} draft
 * @param {AbortSignal} signal
 * @returns {Promise<Suggestion[]>}
 */
async function suggestionsFor(draft, signal) {
  const parts = partsOf(draft);
  if (!parts) {
    const typed = draft.replace(/^-/, '').toLowerCase();
    const keys = await keysOfFilter();
    return /[\s"]/.test(typed) ? [] : keys.filter(({ value }) => value.startsWith(typed));
  }
  const prefix = (parts.value.split(',').at(-1) ?? '').replace(/^"|"$/g, '');
  const { suggestions } = await get(`/api/dashboard/tasks/suggest?${new URLSearchParams({ key: parts.key, prefix })}`, { signal });
  return suggestions;
}

/** @param {string} draft */
function signOf(draft) {
  return draft.startsWith('-') ? '-' : '';
}

/**
 * @param {string[]} terms
 * @returns {Promise<string>} empty when every key is known, or when the keys are not known
 */
async function faultOf(terms) {
  const names = (await keysOfFilter()).map(({ value }) => value);
  for (const term of terms) {
    const key = partsOf(term)?.key;
    if (key === undefined || names.length === 0 || names.includes(key)) continue;
    const meant = nearest(key, names);
    return `There is no key "${foreignText(key, 40)}". ${meant ? `Did you mean ${meant}:?` : 'Words with a colon need quotation marks.'}`;
  }
  return '';
}
