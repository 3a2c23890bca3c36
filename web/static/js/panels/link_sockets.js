// @ts-check
/** The processes around the hub: what each serves, and what went over its link since it connected. */

import { useHeld } from '../ui/held.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { Table } from '../ui/table.js';
import { bytes, compact, count, foreignText, plural } from '../ui/text.js';
import { For } from '../ui/time.js';

const COLUMNS = [
  { id: 'process', text: 'Process' },
  { id: 'since', text: 'Connected', number: true },
  { id: 'agents', text: 'Agents', number: true },
  { id: 'pages', text: 'Dashboards', number: true },
  { id: 'in', text: 'To hub', number: true },
  { id: 'out', text: 'From hub', number: true },
];

/** @param {{processes: any[]}} props */
export function LinkSockets({ processes }) {
  const held = useHeld(processes, ({ id }) => id);
  return html`<${Table} name="link" label="Link and sockets" columns=${COLUMNS} held=${held} row=${rowOf} />`;
}

/** @param {any} one */
function rowOf(one) {
  const sockets = one.sockets;
  return {
    attributes: { 'data-testid': 'link-row', 'data-process': one.id },
    cells: [
      html`<span class="strong">${foreignText(one.id, 60)}</span>`,
      html`<${For} at=${one.connected_at} />`,
      sockets ? count(sockets.agents) : '–',
      sockets ? html`<${Dashboards} sockets=${sockets} />` : '–',
      html`<${Way} way=${one.from_it} />`,
      html`<${Way} way=${one.to_it} />`,
    ],
  };
}

/** @param {{sockets: {dashboards: number, lagging: number, frames_per_s: number}}} props */
function Dashboards({ sockets }) {
  return html`<span data-testid="link-pages">${count(sockets.dashboards)}</span><${Lagging} number=${sockets.lagging} /><span class="link-size">${count(sockets.frames_per_s)} frames/s</span>`;
}

/** @param {{number: number}} props pages that have not taken all that they were sent */
function Lagging({ number }) {
  if (number === 0) return null;
  return html` <span class="state tone-warning" title=${`${plural(number, 'page')} did not take all that was sent`}><${Icon} name="warning" /><span>${count(number)} slow</span></span>`;
}

/** @param {{way: {messages: number, bytes: number, unsent_bytes?: number}}} props */
function Way({ way }) {
  const waits = way.unsent_bytes ? `, ${bytes(way.unsent_bytes)} unsent` : '';
  return html`<span title=${`${plural(way.messages, 'message')}, ${bytes(way.bytes)}${waits}`}>${compact(way.messages)}<span class="link-size">${bytes(way.bytes)}${waits}</span></span>`;
}
