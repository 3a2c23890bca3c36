// @ts-check
/**
 * The token of a hub whose dashboard is closed to strangers. It lives in this variable alone: not in the address, not in the page, not
 * in storage; a reload asks again.
 */

import { signal } from '@preact/signals';

let token = '';

/** Whether the hub wants a token that the page has not got. */
export const isClosed = signal(false);

/** @returns {Record<string, string>} */
export function authorization() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** @returns {{type: string, token: string} | null} the first frame on a socket */
export function authFrame() {
  return token ? { type: 'auth', token } : null;
}

/** @param {string} given */
export function keepToken(given) {
  token = given;
}

export function refused() {
  token = '';
  isClosed.value = true;
}

export function admitted() {
  isClosed.value = false;
}
