// @ts-check
/** How the page looks and listens in this browser. Kept here, and nowhere else. */

import { useMemo } from 'preact/hooks';
import { DENSITIES, THEMES, density, singleKeys, theme, timeZone } from '../store/choices.js';
import { hubNow, now } from '../ui/clock.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { absolute } from '../ui/time.js';

/** @type {Record<string, string>} */
const WORDS = { system: 'As the system', light: 'Light', dark: 'Dark', dense: 'Dense', roomy: 'Roomy' };

export function AppearanceSettings() {
  return html`
    <${Panel} title="This browser" area="appearance" padded>
      <div class="settings-rows">
        <${Choice} name="theme" legend="Theme" values=${THEMES} chosen=${theme} />
        <${Choice} name="density" legend="Density" values=${DENSITIES} chosen=${density} />
        <${TimeZone} />
        <label class="check">
          <input type="checkbox" checked=${singleKeys.value} onChange=${(/** @type {any} */ event) => (singleKeys.value = event.target.checked)} />
          <span>Single keys do something; <kbd>?</kbd> lists them</span>
        </label>
      </div>
    <//>
  `;
}

/** @param {{name: string, legend: string, values: string[], chosen: import('@preact/signals').Signal<string>}} props */
function Choice({ name, legend, values, chosen }) {
  return html`
    <fieldset class="choice">
      <legend>${legend}</legend>
      ${values.map(
        (value) => html`
          <label key=${value} class="check">
            <input type="radio" name=${name} value=${value} checked=${chosen.value === value} onChange=${() => (chosen.value = value)} />${WORDS[value] ?? value}
          </label>
        `,
      )}
    </fieldset>
  `;
}

function TimeZone() {
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const named = useMemo(() => Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC'), []);
  return html`
    <label class="setting">
      <span class="setting-name">Time zone</span>
      <select value=${timeZone.value} data-testid="time-zone" onChange=${(/** @type {any} */ event) => (timeZone.value = event.target.value)}>
        <option value="" selected=${timeZone.value === ''}>The browser's (${own})</option>
        <option value="UTC" selected=${timeZone.value === 'UTC'}>UTC</option>
        <optgroup label="Named">${named.map((zone) => html`<option key=${zone} value=${zone} selected=${timeZone.value === zone}>${zone}</option>`)}</optgroup>
      </select>
      <span class="quiet" data-testid="time-example">Now: ${absolute(now.value && hubNow())}</span>
    </label>
  `;
}
