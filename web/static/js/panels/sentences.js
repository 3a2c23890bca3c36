// @ts-check
/** An event as a sentence: a subject (a task or an agent), words, and perhaps who did it. */

import { titles } from '../store/titles.js';
import { foreignText, shortId } from '../ui/text.js';

/**
 * @typedef {import('../store/hub.js').Entry} Entry
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
  ['task_moved', { symbol: 'queued', tone: 'info', words: 'moved to another lane' }],
  ['task_reassigned', { symbol: 'assigned', tone: 'info', words: 'reassigned' }],
  ['task_cancelled', { symbol: 'cancelled', tone: 'muted', words: 'cancelled' }],
]);

/** @type {Record<string, string>} */
const MODES = { active: 'take work', paused: 'pause', draining: 'drain' };

/**
 * @param {Entry} entry
 * @returns {Sentence}
 */
export function sentenceOf(entry) {
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
    case 'agent_mode':
      return { ...who, symbol: 'dot', tone: 'info', words: `was ordered: ${MODES[entry.status] ?? foreignText(entry.status)}` };
    case 'agent_forgotten':
      return { ...who, symbol: 'left', tone: 'muted', words: 'was forgotten' };
    case 'missed':
      return { subject: String(entry.missed), title: '', words: 'events were missed; the numbers are complete', agent: '', symbol: 'unknown', tone: 'warning' };
    default:
      return { ...who, subject: foreignText(entry.type), words: foreignText(entry.event), symbol: 'dot', tone: 'idle' };
  }
}

/**
 * @param {Entry} entry
 * @returns {Sentence}
 */
function taskSentence(entry) {
  const look = TASK_EVENTS.get(entry.event) ?? { symbol: 'dot', tone: 'idle', words: foreignText(entry.event) };
  const isProgress = entry.progress !== null;
  const named = look.by && entry.name ? ` ${isProgress ? 'by' : look.by}` : '';
  return {
    symbol: look.symbol,
    tone: look.tone,
    subject: foreignText(titles.value.get(entry.task_id), NAME_MAX) || `Task ${shortId(entry.task_id)}`,
    title: entry.task_id,
    words: `${isProgress ? `${entry.progress}\u00a0% done` : look.words}${named}`,
    agent: look.by ? foreignText(entry.name, NAME_MAX) : '',
  };
}
