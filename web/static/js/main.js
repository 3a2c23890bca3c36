// @ts-check
/** Puts the page together: the theme first, so that nothing flashes, then the frame, then the connection. */

import { render } from 'preact';
import { startRouter } from './router.js';
import { App } from './shell/app.js';
import { startKeys } from './shell/keys.js';
import { startTitle } from './shell/title.js';
import { watchVersion } from './shell/update.js';
import { applyDensity, applyTheme } from './store/choices.js';
import { start } from './store/hub.js';
import { startNotifications } from './store/notifications.js';
import { startTicking } from './ui/clock.js';
import { keepFocus } from './ui/focus.js';
import { html } from './ui/html.js';

applyTheme();
applyDensity();
pinIcon();
startRouter();
startTitle();
startKeys();
startTicking();
keepFocus();
watchVersion();
render(html`<${App} />`, document.body);
start();
startNotifications();

/** Browsers look the icon up again when the address changes, and its own is relative to the first one. */
function pinIcon() {
  const link = document.querySelector('link[rel="icon"]');
  if (link instanceof HTMLLinkElement) link.setAttribute('href', link.href);
}
