// @ts-check
/** How many tasks wait in each lane. The bars compare the lanes with each other; the numbers are the counts. */

import { at } from '../base.js';
import { snapshot } from '../store/hub.js';
import { Bar } from '../ui/bar.js';
import { LANES } from '../ui/chip.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { LiveNumber } from '../ui/live_number.js';
import { Panel } from '../ui/panel.js';
import { count } from '../ui/text.js';

export function Lanes() {
  const counts = LANES.map((_, lane) => Number(snapshot.value?.queue?.by_priority?.[lane] ?? 0));
  const most = Math.max(1, ...counts);
  return html`
    <${Panel} title="Queue by lane" area="lanes">
      <ul class="lanes">
        ${LANES.map((name, lane) => html`<${Lane} key=${name} name=${name} lane=${lane} waiting=${counts[lane] ?? 0} most=${most} />`)}
      </ul>
    <//>
  `;
}

/** @param {{name: string, lane: number, waiting: number, most: number}} props */
function Lane({ name, lane, waiting, most }) {
  return html`
    <li class="lane" data-testid=${`lane-${lane}`}>
      <a class="lane-name" href=${at(`/tasks?status=queued&priority=${name}`)}><${Icon} name=${`lane-${lane}`} /><span>${name}</span></a>
      <${Bar} share=${waiting / most} />
      <span class="lane-count"><${LiveNumber} text=${snapshot.value ? count(waiting) : '–'} /></span>
    </li>
  `;
}
