// @ts-check
/** The pages, in the order of the navigation. A page that is not built is not here. */

import { page as overview } from './pages/overview.js';
import { page as tasks } from './pages/tasks.js';
import { page as task } from './pages/task.js';
import { page as system } from './pages/system.js';
import { page as settings } from './pages/settings.js';

/** @type {import('./router.js').Page[]} */
export const pages = [overview, tasks, task, system, settings];
