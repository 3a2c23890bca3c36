// @ts-check
/** The bar that is always there: where one is, how the hub is, whether this is live, and what helps. */

import { at } from '../base.js';
import { nextTheme, theme } from '../store/choices.js';
import { snapshot } from '../store/hub.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText } from '../ui/text.js';
import { ConnectionChip } from './connection_chip.js';
import { openDialog } from './dialogs.js';
import { HealthPill } from './health_pill.js';
import { PauseButton } from './pause_button.js';
import { PRODUCT, heading } from './title.js';

export function TopBar() {
  const environment = snapshot.value?.environment;
  return html`
    <header class="topbar">
      <a class="brand" href=${at('/dashboard')}>${PRODUCT}</a>
      ${environment && html`<bdi class="tag environment" data-testid="environment">${foreignText(environment, 24)}</bdi>`}
      <h1 tabindex="-1">${heading.value}</h1>
      <${HealthPill} />
      <div class="topbar-live"><${ConnectionChip} /><${PauseButton} /></div>
      <div class="topbar-tools">
        <${Tool} icon="search" word="Search" hint="Ctrl K" keys="Control+K" testid="palette-button" run=${() => openDialog('palette')} />
        <${Tool} icon=${`theme-${theme.value}`} word=${`Theme: ${theme.value}`} keys="t" testid="theme-button" run=${nextTheme} />
        <${Tool} icon="help" word="Help" keys="?" testid="help-button" run=${() => openDialog('help')} />
      </div>
    </header>
  `;
}

/** @param {{icon: string, word: string, hint?: string, keys: string, testid: string, run: () => void}} props */
function Tool({ icon, word, hint, keys, testid, run }) {
  return html`
    <button type="button" title=${word} aria-keyshortcuts=${keys} data-testid=${testid} onClick=${run}>
      <${Icon} name=${icon} /><span class="tool-word">${word}</span>${hint && html`<kbd aria-hidden="true">${hint}</kbd>`}
    </button>
  `;
}
