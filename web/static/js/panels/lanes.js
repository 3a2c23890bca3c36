// @ts-check
/** What waits in each lane: how many, how long the oldest, what came and went in the last hour, and when it will be empty. */

import { at, tasksBy } from '../base.js';
import { snapshot } from '../store/hub.js';
import { now } from '../ui/clock.js';
import { LANES } from '../ui/chip.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { LiveNumber } from '../ui/live_number.js';
import { Panel } from '../ui/panel.js';
import { Sparkline } from '../ui/sparkline.js';
import { count } from '../ui/text.js';
import { For, isTime, roughly, span } from '../ui/time.js';

/**
 * @typedef {{lane: string, priority: number, queued: number, oldest_since: number | null, target_s: number, drain_s: number | null,
 *   in_per_minute: number[], out_per_minute: number[]}} LaneFigures
 */

export function Lanes() {
  const figures = /** @type {LaneFigures[]} */ (snapshot.value?.lanes ?? []);
  const legend = html`<span class="legend"><span class="tone-info">in</span><span class="tone-ok">out</span> 60 min</span>`;
  return html`
    <${Panel} title="Queue by lane" area="lanes" aside=${legend}>
      <ul class="lanes">
        ${LANES.map((name, lane) => html`<${Lane} key=${name} name=${name} lane=${lane} figures=${figures.find(({ priority }) => priority === lane)} />`)}
      </ul>
    <//>
  `;
}

/** @param {{name: string, lane: number, figures?: LaneFigures}} props */
function Lane({ name, lane, figures }) {
  const waiting = figures?.queued ?? snapshot.value?.queue?.by_priority?.[lane];
  return html`
    <li class="lane" data-testid=${`lane-${lane}`}>
      <a class="lane-name" href=${at(tasksBy(`state:queued lane:${name}`))}><${Icon} name=${`lane-${lane}`} /><span>${name}</span></a>
      ${figures ? html`<${Flow} figures=${figures} />` : html`<span></span>`}
      <span class="lane-words">${figures && waiting > 0 ? html`<${Age} figures=${figures} />` : snapshot.value && html`<span class="quiet">empty</span>`}</span>
      <span class="lane-count"><${LiveNumber} text=${count(waiting)} /></span>
    </li>
  `;
}

/** @param {{figures: LaneFigures}} props */
function Flow({ figures }) {
  const sum = (/** @type {number[]} */ values) => count(values.reduce((total, value) => total + value, 0));
  const words = `In ${sum(figures.in_per_minute)}, out ${sum(figures.out_per_minute)} in the last 60 minutes`;
  const lines = [
    { values: figures.in_per_minute, tone: 'info' },
    { values: figures.out_per_minute, tone: 'ok' },
  ];
  return html`<span title=${words}><${Sparkline} lines=${lines} title=${words} /><span class="unseen">${words}</span></span>`;
}

/** @param {{figures: LaneFigures}} props */
function Age({ figures }) {
  const { oldest_since: oldest, target_s: target, drain_s: drain } = figures;
  const isLate = isTime(oldest) && now.value - oldest > target * 1000;
  return html`
    <span class=${isLate ? 'tone-warning' : ''} title=${isLate ? `Longer than the ${span(target * 1000)} that this lane aims at` : null}>
      ${isLate && html`<${Icon} name="warning" />`}oldest <${For} at=${oldest} prefix="Waits since" />
    </span>
    <span class="quiet">${drain === null ? 'not draining' : `empty in ${roughly(Math.max(1000, drain * 1000))}`}</span>
  `;
}
