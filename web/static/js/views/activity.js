// @ts-check
/** What happened, in plain words, newest first. */

import { el, foreignText, setAttribute, setText, shortId } from '../ui/dom.js';
import { HeldRows } from '../ui/rows.js';
import { icon, setIcon } from '../ui/icons.js';
import { relativeTime, setRelativeTime } from '../ui/time.js';

/**
 * A sentence has a subject (a task or an agent), words, and perhaps who did it.
 * @typedef {import('../store.js').Activity} Activity
 * @typedef {{symbol: string, tone: string, subject: string, title: string, words: string, agent: string}} Sentence
 */

const NAME_MAX = 60;

/** @type {Map<string, {symbol: string, tone: string, words: string, by?: string}>} */
const TASK_EVENTS = new Map([
  ['task_submitted', { symbol: 'submitted', tone: 'muted', words: 'submitted' }],
  ['task_assigned', { symbol: 'assigned', tone: 'info', words: 'assigned', by: 'to' }],
  ['task_accepted', { symbol: 'working', tone: 'info', words: 'accepted', by: 'by' }],
  ['task_progress', { symbol: 'working', tone: 'info', words: 'reports progress', by: 'from' }],
  ['task_completed', { symbol: 'ok', tone: 'ok', words: 'completed', by: 'by' }],
  ['task_retried', { symbol: 'retry', tone: 'retry', words: 'queued again' }],
  ['task_dead_letter', { symbol: 'critical', tone: 'critical', words: 'became a dead letter', by: 'at' }],
  ['task_reclaimed', { symbol: 'retry', tone: 'warning', words: 'taken back', by: 'from' }],
  ['task_cancelled', { symbol: 'cancelled', tone: 'muted', words: 'cancelled' }],
]);

/**
 * @param {HTMLElement} slot
 * @returns {(state: import('../store.js').State) => void}
 */
export function activityView(slot) {
  const head = /** @type {HTMLElement} */ (slot.previousElementSibling);
  const list = el('ol', { class: 'activity', 'aria-label': 'Activity, newest first' });
  const region = el('div', { class: 'scroller', role: 'region', 'aria-label': 'Activity', tabindex: 0 }, list);
  const empty = el(
    'div',
    { class: 'empty', hidden: true, 'data-testid': 'empty-activity' },
    el('strong', {}, 'Quiet so far.'),
    el('p', {}, 'Tasks and agents that change from now on are listed here.'),
  );
  slot.append(empty, region);
  const key = (/** @type {Activity} */ entry) => entry.key;
  const rows = new HeldRows({ region, list, head, empty, noun: 'events', key, build: activityRow });

  return (state) => {
    rows.set(state.activity, state.snapshot !== null);
  };
}

function activityRow() {
  const symbol = icon('dot');
  const subject = el('bdi', { class: 'strong' });
  const words = el('span');
  const agent = el('bdi', { class: 'strong' });
  const time = relativeTime('ago');
  const node = el('li', { 'data-testid': 'activity-row' }, symbol, el('span', {}, subject, ' ', words, ' ', agent), time);

  return {
    node,
    update: (/** @type {Activity} */ entry) => {
      const sentence = sentenceOf(entry);
      setAttribute(node, 'data-event', entry.event || entry.type);
      setAttribute(symbol, 'class', `icon tone-${sentence.tone}`);
      setIcon(symbol, sentence.symbol);
      setText(subject, sentence.subject);
      setAttribute(subject, 'title', sentence.title);
      setText(words, sentence.words);
      setText(agent, sentence.agent);
      setRelativeTime(time, entry.timestamp);
    },
  };
}

/**
 * @param {Activity} entry
 * @returns {Sentence}
 */
function sentenceOf(entry) {
  const who = { subject: foreignText(entry.name, NAME_MAX) || 'An agent', title: entry.agent_id, agent: '' };
  switch (entry.type) {
    case 'task_event':
      return taskSentence(entry);
    case 'agent_joined':
      return { ...who, symbol: 'joined', tone: 'ok', words: 'joined' };
    case 'agent_left':
      return entry.clean
        ? { ...who, symbol: 'left', tone: 'muted', words: 'left' }
        : { ...who, symbol: 'offline', tone: 'critical', words: 'went offline' };
    case 'status_changed':
      return { ...who, symbol: 'dot', tone: 'idle', words: `is ${foreignText(entry.status) || 'changed'}` };
    case 'missed':
      return { subject: String(entry.missed), title: '', words: 'events were missed; the numbers are complete', agent: '', symbol: 'unknown', tone: 'warning' };
    default:
      return { ...who, subject: foreignText(entry.type), words: foreignText(entry.event), symbol: 'dot', tone: 'idle' };
  }
}

/**
 * @param {Activity} entry
 * @returns {Sentence}
 */
function taskSentence(entry) {
  const look = TASK_EVENTS.get(entry.event) ?? { symbol: 'dot', tone: 'idle', words: foreignText(entry.event) };
  const named = look.by && entry.name ? ` ${look.by}` : '';
  const progress = entry.progress === null ? '' : ` (${entry.progress}\u00a0%)`;
  return {
    symbol: look.symbol,
    tone: look.tone,
    subject: `Task ${shortId(entry.task_id)}`,
    title: entry.task_id,
    words: `${look.words}${progress}${named}`,
    agent: look.by ? foreignText(entry.name, NAME_MAX) : '',
  };
}
