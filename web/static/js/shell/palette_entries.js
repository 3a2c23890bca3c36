// @ts-check
/** What the palette finds. */

import { agentAddress, base, tasksBy } from '../base.js';
import { get } from '../net/api.js';
import { pages } from '../pages.js';
import { navigate } from '../router.js';
import { nextTheme } from '../store/choices.js';
import { agents, paused, togglePause } from '../store/hub.js';
import { LANES } from '../ui/chip.js';
import { foreignText, shortId } from '../ui/text.js';
import { openDialog } from './dialogs.js';

/** @typedef {{id: string, title: string, kind: string, icon: string, run: () => void}} Entry */

/** Fewer letters match too much. */
const SEARCH_FROM = 3;
const TASKS_SHOWN = 5;

/** Everything that is known without asking. @returns {Entry[]} */
export function fixedEntries() {
  const shownPages = pages.filter(({ icon }) => icon);
  const hasAgentPage = pages.some(({ path }) => path === '/agents/:id');
  const shownAgents = hasAgentPage ? agents.peek() : [];
  return [
    ...shownPages.map((page) => entry(`page ${page.id}`, page.title, 'Page', page.icon ?? 'dot', () => navigate(page.path))),
    ...LANES.map((lane, number) =>
      entry(`lane ${lane}`, `Lane ${lane}: what waits`, 'Lane', `lane-${number}`, () => navigate(tasksBy(`state:queued lane:${lane}`))),
    ),
    entry('pause', paused.peek() ? 'Resume changes on screen' : 'Pause changes on screen', 'Action', 'paused', togglePause),
    entry('theme', 'Change the theme', 'Action', 'theme-system', nextTheme),
    entry('help', 'Help and keys', 'Action', 'help', () => openDialog('help')),
    ...shownAgents.map((agent) => {
      const address = agentAddress(agent.agent_id).slice(base.length);
      return entry(`agent ${agent.agent_id}`, foreignText(agent.name, 60), 'Agent', 'agents', () => navigate(address));
    }),
  ];
}

/**
 * Those whose title has all the words, those that begin with them first.
 * @param {Entry[]} entries
 * @param {string} words
 */
export function matching(entries, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries.filter(({ title, kind }) => wanted.every((word) => `${title} ${kind}`.toLowerCase().includes(word)));
  const begins = (/** @type {Entry} */ { title }) => title.toLowerCase().startsWith(wanted[0] ?? '');
  return [...found.filter(begins), ...found.filter((one) => !begins(one))];
}

/**
 * Tasks with this id, or with these words in their description.
 * @param {string} words
 * @param {AbortSignal} signal
 * @returns {Promise<Entry[]>}
 */
export async function taskEntries(words, signal) {
  const wanted = words.replaceAll('"', ' ').trim();
  if (wanted.length < SEARCH_FROM) return [];
  const filter = /^task-[0-9a-f]{16}$/.test(wanted) ? `id:${wanted}` : `"${wanted}"`;
  const { tasks } = await get(`/api/dashboard/tasks?${new URLSearchParams({ q: filter, limit: String(TASKS_SHOWN) })}`, { signal });
  return tasks.map((/** @type {any} */ task) => {
    const title = foreignText(task.description ?? task.title, 80) || shortId(task.id);
    return entry(`task ${task.id}`, title, 'Task', 'queued', () => navigate(`/tasks/${encodeURIComponent(task.id)}`));
  });
}

/**
 * @param {string} id
 * @param {string} title
 * @param {string} kind
 * @param {string} icon
 * @param {() => void} run
 * @returns {Entry}
 */
function entry(id, title, kind, icon, run) {
  return { id, title, kind, icon, run };
}
