// @ts-check
/** The health pill (shape, word, colour) and the list of what is not well, each with since when. */

import { announce } from '../ui/toast.js';
import { el, foreignText, setAttribute, setText } from '../ui/dom.js';
import { icon, setIcon } from '../ui/icons.js';
import { clockTime, isTime, relativeTime, setRelativeTime } from '../ui/time.js';

const LOOKS = new Map([
  ['ok', { tone: 'ok', symbol: 'ok', word: 'OK' }],
  ['warning', { tone: 'warning', symbol: 'warning', word: 'Warning' }],
  ['critical', { tone: 'critical', symbol: 'critical', word: 'Critical' }],
]);
const SHOWN_AT_ONCE = 4;
const UNKNOWN = { tone: 'idle', symbol: 'unknown', word: 'Unknown' };

/** @typedef {import('../store.js').Condition} Condition */

/**
 * @param {{pillSlot: HTMLElement, list: HTMLElement}} places
 * @returns {(state: import('../store.js').State) => void}
 */
export function healthView({ pillSlot, list }) {
  const symbol = icon('unknown');
  const word = el('span');
  const pill = el('span', { 'data-testid': 'health-pill' }, symbol, el('span', { class: 'unseen' }, 'Health: '), word);
  const rows = el('ul');
  pillSlot.append(pill);
  list.append(rows);
  let said = '';

  return (state) => {
    const status = state.snapshot?.health?.status;
    const look = LOOKS.get(status) ?? UNKNOWN;
    const number = state.conditions.length;
    setAttribute(pill, 'class', `pill tone-${look.tone}`);
    setAttribute(pill, 'data-status', status ?? 'unknown');
    setIcon(symbol, look.symbol);
    setText(word, number > 0 ? `${look.word} ${number}` : look.word);
    showConditions(rows, state.conditions);
    list.hidden = number === 0;
    setAttribute(list, 'tabindex', number > SHOWN_AT_ONCE ? 0 : null); // many of them scroll, by keyboard as well
    const sentence = `Health: ${look.word}. ${state.conditions.map((one) => foreignText(one.message)).join('. ')}`;
    if (said && said !== look.word) announce(sentence);
    if (state.snapshot) said = look.word;
  };
}

/**
 * @param {HTMLElement} rows
 * @param {Condition[]} conditions
 */
function showConditions(rows, conditions) {
  while (rows.children.length > conditions.length) rows.lastElementChild?.remove();
  const ordered = [...conditions].sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'));
  ordered.forEach((condition, index) => {
    const row = rows.children[index] ?? rows.appendChild(conditionRow());
    fill(/** @type {HTMLElement} */ (row), condition);
  });
}

function conditionRow() {
  return el(
    'li',
    { 'data-testid': 'condition' },
    el('span', { class: 'severity' }, icon('warning'), el('span')),
    el('bdi', { class: 'message' }),
    el('span', { class: 'since' }, el('span'), ' · ', relativeTime('for')),
  );
}

/**
 * @param {HTMLElement} row
 * @param {Condition} condition
 */
function fill(row, condition) {
  const look = LOOKS.get(condition.severity) ?? UNKNOWN;
  setAttribute(row, 'class', `tone-${look.tone}`);
  setAttribute(row, 'data-condition', condition.id);
  setAttribute(row, 'data-severity', condition.severity);
  const [severity, message, since] = /** @type {HTMLElement[]} */ ([...row.children]);
  if (!severity || !message || !since) return;
  const [symbol, word] = [...severity.children];
  if (symbol && word) {
    setIcon(symbol, look.symbol);
    setText(word, look.word);
  }
  setText(message, foreignText(condition.message));
  since.hidden = !isTime(condition.since);
  if (since.firstElementChild) setText(since.firstElementChild, isTime(condition.since) ? `since ${clockTime(condition.since)}` : '');
  setRelativeTime(/** @type {HTMLTimeElement} */ (since.lastElementChild), condition.since, 'Since');
}
