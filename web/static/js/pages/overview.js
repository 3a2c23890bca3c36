// @ts-check
/** The first screen: is the fleet healthy, who needs me, is work flowing, what just failed. */

import { Activity } from '../panels/activity.js';
import { Agents } from '../panels/agents.js';
import { Completions } from '../panels/completions.js';
import { Counters } from '../panels/counters.js';
import { DeadLetterGroups } from '../panels/dead_letter_groups.js';
import { Flow } from '../panels/flow.js';
import { Lanes } from '../panels/lanes.js';
import { html } from '../ui/html.js';

export function Overview() {
  return html`
    <${Counters} />
    <div class="panels has-charts">
      <${Agents} />
      <${Lanes} />
      <${Flow} />
      <${DeadLetterGroups} />
      <${Completions} />
      <${Activity} />
    </div>
  `;
}
