// @ts-check
/** Draws the supervision tree, keeps its elements from one look to the next, and marks what was started again. */

import { el, foreignText, setAttribute, setText } from '../ui/dom.js';

/** How long a restart stays marked. */
const MARK_MS = 4000;

/** More children of one supervisor than this are counted and not drawn. */
const CHILDREN_SHOWN = 200;

/**
 * @typedef {object} TreeNode
 * @property {string} id
 * @property {string} kind
 * @property {string} state
 * @property {number} restarts
 * @property {string | null} last_exit
 * @property {number | null} uptime_s
 * @property {number | null} last_exit_s
 * @property {number | null} mailbox
 * @property {number | null} oldest_s
 * @property {number | null} pid
 * @property {string | null} status
 * @property {string | null} handling
 * @property {number | null} busy_s
 * @property {string | null} strategy
 * @property {number | null} restarts_in_window
 * @property {number | null} max_restarts
 * @property {TreeNode[]} children
 */

/**
 * @typedef {{item: HTMLLIElement, line: HTMLDivElement, name: HTMLElement, facts: HTMLElement, exit: HTMLElement,
 *   list: HTMLUListElement, more: HTMLLIElement, restarts: number, uptime: number}} Drawn
 */

/**
 * @param {HTMLElement} slot
 * @returns {(root: TreeNode) => string[]} draws a tree; the names of what was started again since the last one
 */
export function treeView(slot) {
  /** @type {Map<string, Drawn>} */
  const drawn = new Map();
  const top = el('ul', { class: 'tree', 'data-testid': 'tree' });
  slot.append(top);
  return (root) => {
    /** @type {Set<string>} */
    const seen = new Set();
    /** @type {string[]} */
    const restarted = [];
    draw(top, [root], '', drawn, seen, restarted);
    for (const [path, old] of drawn) {
      if (!seen.has(path)) {
        old.item.remove();
        drawn.delete(path);
      }
    }
    return restarted;
  };
}

/**
 * @param {HTMLUListElement} list
 * @param {TreeNode[]} nodes
 * @param {string} above
 * @param {Map<string, Drawn>} drawn
 * @param {Set<string>} seen
 * @param {string[]} restarted
 */
function draw(list, nodes, above, drawn, seen, restarted) {
  nodes.slice(0, CHILDREN_SHOWN).forEach((node, place) => {
    const path = `${above}/${node.id}`;
    seen.add(path);
    const known = drawn.get(path);
    const one = known ?? newNode(node);
    drawn.set(path, one);
    if (list.children[place] !== one.item) list.insertBefore(one.item, list.children[place] ?? null);
    if (update(one, node) && known) restarted.push(node.id);
    draw(one.list, node.children ?? [], path, drawn, seen, restarted);
    const rest = (node.children ?? []).length - CHILDREN_SHOWN;
    one.more.hidden = rest <= 0;
    if (rest > 0) setText(one.more, `… and ${rest} more`);
    one.list.append(one.more);
    one.list.hidden = (node.children ?? []).length === 0;
  });
}

/**
 * @param {TreeNode} node
 * @returns {Drawn}
 */
function newNode(node) {
  const name = el('span', { class: 'node-name' });
  const facts = el('span', { class: 'node-facts' });
  const exit = el('span', { class: 'node-exit' });
  const line = el('div', { class: 'node', 'data-node': node.id }, name, facts, exit);
  const more = el('li', { hidden: true });
  const list = el('ul', {}, more);
  return {
    item: el('li', {}, line, list),
    ...{ line, name, facts, exit, list, more },
    restarts: node.restarts,
    uptime: node.uptime_s ?? 0,
  };
}

/**
 * @param {Drawn} one
 * @param {TreeNode} node
 * @returns {boolean} whether it was started again since the last look
 */
function update(one, node) {
  const uptime = node.uptime_s ?? 0;
  const isNew = node.restarts > one.restarts || uptime + 0.5 < one.uptime;
  one.restarts = node.restarts;
  one.uptime = uptime;
  setAttribute(one.line, 'data-state', node.state);
  setText(one.name, foreignText(node.id, 80));
  setText(one.facts, factsOf(node).join(' · '));
  const exit = node.last_exit ? `last end${ago(node)}: ${foreignText(node.last_exit, 200)}` : '';
  setText(one.exit, exit);
  one.exit.hidden = exit === '';
  if (isNew) {
    one.line.classList.add('was-restarted');
    setTimeout(() => one.line.classList.remove('was-restarted'), MARK_MS);
  }
  return isNew;
}

/**
 * @param {TreeNode} node
 * @returns {string[]}
 */
function factsOf(node) {
  const said = [node.state];
  if (node.strategy) said.push(node.strategy);
  if (node.max_restarts !== null && node.max_restarts !== undefined) {
    said.push(`${node.restarts_in_window ?? 0} of ${node.max_restarts} restarts in the window`);
  }
  if (node.uptime_s !== null && node.uptime_s !== undefined) said.push(`up ${span(node.uptime_s)}`);
  if (node.pid) said.push(`pid ${node.pid}`);
  if (node.restarts > 0) said.push(`restarted ${node.restarts}×`);
  if (node.mailbox) said.push(`${node.mailbox} waiting${(node.oldest_s ?? 0) >= 1 ? `, oldest ${span(node.oldest_s ?? 0)}` : ''}`);
  if (node.handling && (node.busy_s ?? 0) > 1) said.push(`at ${foreignText(node.handling, 60)} for ${span(node.busy_s ?? 0)}`);
  return said;
}

/**
 * @param {TreeNode} node
 * @returns {string}
 */
function ago(node) {
  return node.last_exit_s === null || node.last_exit_s === undefined ? '' : ` ${span(node.last_exit_s)} ago`;
}

/**
 * @param {number} seconds
 * @returns {string}
 */
function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d`;
}
