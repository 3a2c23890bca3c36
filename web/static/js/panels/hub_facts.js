// @ts-check
/** What this hub is: since when, which start of it, how far its events are, and which version of the page is shown. */

import { version } from '../base.js';
import { agents, seq, snapshot } from '../store/hub.js';
import { now } from '../ui/clock.js';
import { html } from '../ui/html.js';
import { count, foreignText } from '../ui/text.js';
import { absolute, span } from '../ui/time.js';

export function HubFacts() {
  const found = snapshot.value;
  if (found === null) return null;
  const startedAt = Number(found.timestamp) - Number(found.uptime_ms);
  /** @type {[string, import('../ui/html.js').Children][]} */
  const facts = [
    ['Up', html`<span data-testid="uptime">${span(Math.max(0, now.value - startedAt))}</span>`],
    ['Since', absolute(startedAt)],
    ['Environment', foreignText(found.environment) || null],
    ['Start', html`<code>${foreignText(found.boot_id, 40)}</code>`],
    ['Events since then', count(seq.value)],
    ['Connected agents', count(agents.value.filter(({ fsm_state: state }) => state !== 'offline').length)],
    ['Version of the page', html`<code>${version}</code>`],
    ['Numbers for monitoring', html`<code>GET /metrics</code>`],
  ];
  return html`<dl class="facts">${facts.flatMap(([name, value]) => (value === null ? [] : [html`<dt>${name}</dt>`, html`<dd>${value}</dd>`]))}</dl>`;
}
