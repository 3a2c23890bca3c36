// @ts-check
/** The hub itself: its supervision tree, live, its storage, its link, what its supervisors reported, and its alarms. */

import { useEffect, useRef } from 'preact/hooks';
import { HubFacts } from '../panels/hub_facts.js';
import { LinkSockets } from '../panels/link_sockets.js';
import { Processes } from '../panels/processes.js';
import { StorageFacts } from '../panels/storage_facts.js';
import { Tree, restartsBetween } from '../panels/tree.js';
import { useResource } from '../store/resource.js';
import { Empty, Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { foreignText } from '../ui/text.js';
import { absolute, clockTime } from '../ui/time.js';
import { announce } from '../ui/toast.js';

const EVERY_MS = 1000;
const FIGURES_EVERY_MS = 2000;

export function System() {
  const { data, problem, isLoading } = useResource('/api/system/tree', { everyMs: EVERY_MS });
  const { data: figures } = useResource('/api/system/figures', { everyMs: FIGURES_EVERY_MS, onEvents: false });
  const tree = data ? withProcesses(data) : null;
  const restarted = useRestarted(tree);
  return html`
    ${problem && html`<p class="banner tone-warning" role="status" data-testid="system-problem">${problem.detail}${data && ' What is below is from before.'}</p>`}
    <div class=${problem ? 'system is-stale' : 'system'}>
      <${Alarms} alarms=${data?.alarms ?? []} />
      <${Panel} title="Supervision tree" area="tree" padded>${tree ? html`<${Tree} root=${tree} restarted=${restarted} />` : isLoading && html`<${Skeleton} rows=${8} />`}<//>
      <div class="system-side">
      <${Panel} title="Hub" area="hub" padded><${HubFacts} /><//>
      ${figures && html`<${Panel} title="Storage" area="storage" padded><${StorageFacts} storage=${figures.storage} /><//>`}
      ${figures && html`<${Panel} title="Link and sockets" area="link"><${LinkSockets} processes=${figures.processes} /><//>`}
      ${data?.processes && html`<${Panel} title="Processes" area="processes"><${Processes} root=${data.processes} /><//>`}
      <${Panel} title="What the supervisors reported" area="reports" padded>${data && html`<${Reports} events=${data.events ?? []} />`}<//>
      </div>
    </div>
  `;
}

/**
 * The tree of processes with the hub's actors under the hub; those alone when nobody knows the processes.
 * @param {any} tree
 * @returns {import('../panels/tree.js').TreeNode}
 */
function withProcesses(tree) {
  const root = tree.processes;
  if (!root) return tree;
  const children = root.children.map((/** @type {any} */ child) => (child.id === 'hub' ? { ...child, children: [tree] } : child));
  return { ...root, children };
}

/**
 * Paths of nodes that were started again a moment ago, and when that was seen.
 * @param {import('../panels/tree.js').TreeNode | null} tree
 * @returns {Map<string, number>}
 */
function useRestarted(tree) {
  const before = useRef(/** @type {{tree: import('../panels/tree.js').TreeNode | null, seen: Map<string, number>}} */ ({ tree: null, seen: new Map() }));
  if (tree !== null && tree !== before.current.tree) before.current = { tree, seen: restartsBetween(before.current.tree, tree, before.current.seen) };
  const names = [...before.current.seen.keys()].map((path) => path.split('/').at(-1)).slice(0, 5).join(', ');
  useEffect(() => {
    if (names) announce(`Started again: ${names}.`);
  }, [names]);
  return before.current.seen;
}

/** @param {{alarms: {id: string, subject: string, message: string}[]}} props */
function Alarms({ alarms }) {
  if (alarms.length === 0) return null;
  return html`
    <${Panel} title="Alarms" area="alarms" padded>
      ${alarms.map((alarm) => html`<p><strong>${foreignText(alarm.id)}</strong> ${foreignText(alarm.subject)}: ${foreignText(alarm.message)}</p>`)}
    <//>
  `;
}

/** @param {{events: {at: number, supervisor: string, kind: string, child: string, reason: string}[]}} props */
function Reports({ events }) {
  if (events.length === 0) return html`<${Empty} title="Nothing was reported."><p>Restarts and ends of what the hub consists of are listed here.</p><//>`;
  return html`
    <ol class="reports" data-testid="events">
      ${[...events].reverse().map(
        ({ at, child, kind, reason }, place) => html`
          <li key=${`${at} ${child} ${events.length - place}`}>
            <time datetime=${new Date(at).toISOString()} title=${absolute(at)}>${clockTime(at)}</time>
            <strong>${foreignText(child, 80)}</strong>
            <span>${foreignText(kind, 40).replaceAll('_', ' ')}: ${foreignText(reason, 200)}</span>
          </li>
        `,
      )}
    </ol>
  `;
}
