// @ts-check
/** A link to something that the hub answers as a file. Where the hub wants a token, which a link cannot carry, the page fetches it. */

import { base } from '../base.js';
import { authorization } from '../net/access.js';
import { html } from './html.js';
import { toast } from './toast.js';

/**
 * @param {{path: string, name: string, isShown?: boolean, children?: import('./html.js').Children}} props `path`: from the hub's root;
 * `name`: of the file; `isShown`: in a tab of its own instead of being saved
 */
export function FileLink({ path, name, isShown = false, children }) {
  const address = base + path.replace(/^\//, '');
  const clicked = (/** @type {MouseEvent} */ event) => {
    if (Object.keys(authorization()).length === 0) return;
    event.preventDefault();
    void fetchAndSave(address, name);
  };
  return isShown
    ? html`<a class="button" href=${address} target="_blank" rel="noopener noreferrer" onClick=${clicked}>${children}</a>`
    : html`<a class="button" href=${address} download onClick=${clicked}>${children}</a>`;
}

/**
 * @param {string} address
 * @param {string} name
 */
async function fetchAndSave(address, name) {
  try {
    const answer = await fetch(address, { headers: authorization(), cache: 'no-store' });
    if (!answer.ok) throw new Error(`The hub answered ${answer.status}.`);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  } catch (error) {
    toast('warning', error instanceof Error ? error.message : String(error));
  }
}
