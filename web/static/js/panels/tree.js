// @ts-check
/** The supervision tree: one line for each node, and a mark on what was started again. */

import { html } from '../ui/html.js';
import { foreignText } from '../ui/text.js';
import { span } from '../ui/time.js';

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

/** @param {{root: TreeNode, restarted: Map<string, number>}} props `restarted`: paths of nodes, and when that was seen */
export function Tree({ root, restarted }) {
  return html`<ul class="tree" data-testid="tree"><${Branch} node=${root} above="" restarted=${restarted} /></ul>`;
}

/** @param {{node: TreeNode, above: string, restarted: Map<string, number>}} props */
function Branch({ node, above, restarted }) {
  const path = `${above}/${node.id}`;
  const children = node.children ?? [];
  const more = children.length - CHILDREN_SHOWN;
  const exit = node.last_exit ? `last end${ago(node)}: ${foreignText(node.last_exit, 200)}` : '';
  return html`
    <li>
      <div class=${restarted.has(path) ? 'node was-restarted' : 'node'} data-node=${node.id} data-state=${node.state}>
        <span class="node-name">${foreignText(node.id, 80)}</span>
        <span class="node-facts">${factsOf(node).join(' · ')}</span>
        ${exit && html`<span class="node-exit">${exit}</span>`}
      </div>
      ${children.length > 0 &&
      html`
        <ul>
          ${children.slice(0, CHILDREN_SHOWN).map((child) => html`<${Branch} key=${child.id} node=${child} above=${path} restarted=${restarted} />`)}
          ${more > 0 && html`<li>… and ${more} more</li>`}
        </ul>
      `}
    </li>
  `;
}

/**
 * What was started again between two looks, and what was seen so before and is still marked.
 * @param {TreeNode | null} before
 * @param {TreeNode} after
 * @param {Map<string, number>} seen
 * @returns {Map<string, number>}
 */
export function restartsBetween(before, after, seen) {
  const at = performance.now();
  const marks = new Map([...seen].filter(([, when]) => at - when < MARK_MS));
  if (before === null) return marks;
  const known = new Map(nodes(before, ''));
  for (const [path, node] of nodes(after, '')) {
    const old = known.get(path);
    if (old && (node.restarts > old.restarts || (node.uptime_s ?? 0) + 0.5 < (old.uptime_s ?? 0))) marks.set(path, at);
  }
  return marks;
}

/**
 * @param {TreeNode} node
 * @param {string} above
 * @returns {[string, TreeNode][]}
 */
function nodes(node, above) {
  const path = `${above}/${node.id}`;
  return [[path, node], ...(node.children ?? []).flatMap((child) => nodes(child, path))];
}

/**
 * @param {TreeNode} node
 * @returns {string[]}
 */
function factsOf(node) {
  const said = [node.state];
  if (node.strategy) said.push(node.strategy);
  if (node.restarts_in_window) said.push(`${node.restarts_in_window} of ${node.max_restarts} restarts in the window`);
  if (node.uptime_s !== null && node.uptime_s !== undefined) said.push(`up ${seconds(node.uptime_s)}`);
  if (node.pid) said.push(`pid ${node.pid}`);
  if (node.restarts > 0) said.push(`restarted ${node.restarts}×`);
  if (node.mailbox) said.push(`${node.mailbox} waiting${(node.oldest_s ?? 0) >= 1 ? `, oldest ${seconds(node.oldest_s ?? 0)}` : ''}`);
  if (node.handling && (node.busy_s ?? 0) > 1) said.push(`at ${foreignText(node.handling, 60)} for ${seconds(node.busy_s ?? 0)}`);
  return said;
}

/**
 * @param {TreeNode} node
 * @returns {string}
 */
function ago(node) {
  return node.last_exit_s === null || node.last_exit_s === undefined ? '' : ` ${seconds(node.last_exit_s)} ago`;
}

/** @param {number} number */
function seconds(number) {
  return span(Math.floor(number) * 1000);
}
