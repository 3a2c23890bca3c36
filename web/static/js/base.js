// @ts-check
/** Where the hub's root is: this module stands at `ROOT/static/VERSION/js/`. */

/** Ends with a slash; `/` unless a proxy serves the hub below a path. */
export const base = new URL('../../../', import.meta.url).pathname;

/** Of the page's files; another one is another version of the page. */
export const version = import.meta.url.split('/').at(-3) ?? '';

/**
 * The address of a page or file of the hub, for an `href`.
 * @param {string} path from the hub's root: `/tasks?…`
 */
export function at(path) {
  return base + path.replace(/^\//, '');
}

/** @param {string} taskId */
export function taskAddress(taskId) {
  return at(`/tasks/${encodeURIComponent(taskId)}`);
}

/** @param {string} agentId */
export function agentAddress(agentId) {
  return at(`/agents/${encodeURIComponent(agentId)}`);
}

/**
 * The list of tasks, from the hub's root.
 * @param {string} filter in the filter language: `state:queued lane:urgent`
 */
export function tasksBy(filter) {
  return `/tasks?q=${encodeURIComponent(filter)}`;
}
