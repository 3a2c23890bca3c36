// @ts-check
/** The operating system's processes of this hub: which, how long, how often again, and what ended the last one. */

import { useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Table } from '../ui/table.js';
import { count, foreignText } from '../ui/text.js';
import { span } from '../ui/time.js';

/** @typedef {import('./tree.js').TreeNode} TreeNode */

const COLUMNS = [
  { id: 'process', text: 'Process' },
  { id: 'state', text: 'State' },
  { id: 'pid', text: 'Pid', number: true },
  { id: 'up', text: 'Up', number: true },
  { id: 'again', text: 'Restarts', number: true },
];

/** @param {{root: TreeNode}} props */
export function Processes({ root }) {
  const held = useHeld(processesOf(root), ({ id }) => id);
  return html`<${Table} name="processes" label="Processes" columns=${COLUMNS} held=${held} row=${rowOf} />`;
}

/**
 * @param {TreeNode} node
 * @returns {TreeNode[]} those with a pid, the root first
 */
function processesOf(node) {
  return [...(node.pid ? [node] : []), ...(node.children ?? []).flatMap(processesOf)];
}

/** @param {TreeNode} node */
function rowOf(node) {
  const isUp = node.state === 'running';
  return {
    attributes: { 'data-testid': 'process-row', 'data-process': node.id },
    cells: [
      html`<span class="strong">${foreignText(node.id, 60)}</span>`,
      html`<span class=${`state tone-${isUp ? 'ok' : 'warning'}`}><${Icon} name=${isUp ? 'ok' : 'warning'} /><span>${foreignText(node.state, 40)}</span></span>`,
      String(node.pid),
      node.uptime_s === null ? '–' : span(Math.floor(node.uptime_s) * 1000),
      html`<span title=${node.last_exit ? `Last end: ${foreignText(node.last_exit, 200)}` : null}>${count(node.restarts)}</span>`,
    ],
  };
}
