// @ts-check
/** The last hour of the queue: what came and went in a minute, and how long tasks waited. The two share their cursor. */

import { Chart } from '../ui/chart.js';
import { asDuration, asNumber } from '../ui/series.js';
import { useResource } from '../store/resource.js';
import { html } from '../ui/html.js';

const ADDRESS = '/api/dashboard/trends?range=1h';
const STEP_MS = 10_000;

const COMMON = { scope: 'last 60 min', cursorKey: 'overview', more: '/trends?range=1h' };

export function Flow() {
  const { data } = useResource(ADDRESS, { everyMs: STEP_MS, onEvents: false });
  return html`
    <${Chart}
      ...${COMMON} id="flow" area="flow" title="Flow" unit="per minute" trends=${data} format=${asNumber}
      names=${['submitted_per_min', 'completed_per_min', 'failed_per_min']}
    />
    <${Chart}
      ...${COMMON} id="wait" area="wait" title="Wait" unit="seconds" trends=${data} format=${asDuration} isLog=${true}
      names=${['wait_p50_ms', 'wait_p95_ms', 'wait_p99_ms']}
    />
  `;
}
