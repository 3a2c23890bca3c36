// @ts-check
/**
 * The pages, in the order of the navigation; each is loaded when it is first opened, but the first one, which is there at once. A page
 * that is not built is not here.
 */

import { Overview } from './pages/overview.js';
import { lazy } from './ui/lazy.js';

/** @type {import('./router.js').Page[]} */
export const pages = [
  { id: 'overview', path: '/dashboard', title: 'Overview', key: 'o', icon: 'overview', component: Overview },
  { id: 'tasks', path: '/tasks', title: 'Tasks', key: 't', icon: 'tasks', component: lazy(async () => (await import('./pages/tasks.js')).Tasks) },
  { id: 'task', path: '/tasks/:id', title: 'Task', within: 'tasks', component: lazy(async () => (await import('./pages/task.js')).TaskPage) },
  { id: 'dead', path: '/dead', title: 'Dead letters', key: 'd', icon: 'dead', component: lazy(async () => (await import('./pages/dead.js')).DeadLetters) },
  { id: 'agents', path: '/agents', title: 'Agents', key: 'a', icon: 'agents', component: lazy(async () => (await import('./pages/agents.js')).Agents) },
  { id: 'agent', path: '/agents/:id', title: 'Agent', within: 'agents', component: lazy(async () => (await import('./pages/agent.js')).Agent) },
  { id: 'activity', path: '/activity', title: 'Activity', key: 'y', icon: 'activity', component: lazy(async () => (await import('./pages/activity.js')).Activity) },
  { id: 'trends', path: '/trends', title: 'Trends', key: 'm', icon: 'trends', component: lazy(async () => (await import('./pages/trends.js')).Trends) },
  { id: 'system', path: '/system', title: 'System', key: 'k', icon: 'system', component: lazy(async () => (await import('./pages/system.js')).System) },
  { id: 'settings', path: '/settings', title: 'Settings', key: 's', icon: 'settings', component: lazy(async () => (await import('./pages/settings.js')).Settings) },
];
