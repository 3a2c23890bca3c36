// @ts-check
/** The service worker: registered when somebody wants to be told, or uses the page as an installed app, and never otherwise. */

import { at, base } from '../base.js';

const WORKER = at('/sw.js');

/** Whether this browser could run one here: over https, or on this machine. */
export const isPossible = 'serviceWorker' in navigator && window.isSecureContext;

/** @returns {Promise<ServiceWorkerRegistration>} with an active worker */
export async function register() {
  await navigator.serviceWorker.register(/** @type {any} */ (trusted(WORKER)), { scope: base });
  return navigator.serviceWorker.ready;
}

/** @returns {Promise<ServiceWorkerRegistration | undefined>} */
export async function registration() {
  return isPossible ? navigator.serviceWorker.getRegistration(base) : undefined;
}

/** @type {any} */
let policy = null;

/**
 * The page's policy lets no text become the address of code; this one policy lets through our own worker and nothing else.
 * @param {string} url
 */
function trusted(url) {
  const types = /** @type {any} */ (window).trustedTypes;
  if (!types) return url;
  policy ??= types.createPolicy('agentcom-service-worker', {
    createScriptURL(/** @type {string} */ wanted) {
      if (wanted !== WORKER) throw new TypeError('not our service worker');
      return wanted;
    },
  });
  return policy.createScriptURL(url);
}
