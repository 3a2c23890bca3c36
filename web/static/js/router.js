// @ts-check
/**
 * Which page the address names. Links are plain `<a href>`: a click on one that leads to a page of ours is answered here, without
 * loading anything. Each page is `{id, path, title, key, component}`; the table of them is `pages.js`.
 */

import { computed, signal } from '@preact/signals';
import { base } from './base.js';
import { pages } from './pages.js';

/**
 * @typedef {object} Page
 * @property {string} id
 * @property {string} path `/tasks/:id`: a part with a colon is given to the component as a parameter
 * @property {string} title the heading, and the begin of the window's title; a component may say better with `useTitle`
 * @property {string} [key] second key after `g`
 * @property {string} [icon] a page with an icon stands in the navigation
 * @property {string} [within] id of the page whose entry is marked in the navigation
 * @property {(props: {params: Record<string, string>, query: URLSearchParams}) => any} component
 *
 * @typedef {{page: Page | null, params: Record<string, string>, query: URLSearchParams, path: string}} Route
 */

const address = signal(location.pathname + location.search);

/** @type {import('@preact/signals').ReadonlySignal<Route>} */
export const route = computed(() => routeOf(new URL(address.value, location.origin)));

/** Changes when another page, or the same page of another thing, is shown; a change of the query is none. */
export const place = computed(() => route.value.path);

/**
 * @param {string} to from the hub's root: `/tasks?…`
 * @param {{replace?: boolean}} [options] `replace`: Back does not lead to the present address
 */
export function navigate(to, { replace = false } = {}) {
  go(new URL(base + to.replace(/^\//, ''), location.origin), replace);
}

/**
 * Change the query of the present page.
 * @param {URLSearchParams | Record<string, string>} query
 * @param {{replace?: boolean}} [options]
 */
export function setQuery(query, { replace = false } = {}) {
  const words = new URLSearchParams(query).toString();
  go(new URL(location.pathname + (words ? `?${words}` : ''), location.origin), replace);
}

export function startRouter() {
  window.addEventListener('popstate', () => {
    address.value = location.pathname + location.search;
  });
  document.addEventListener('click', follow);
}

/**
 * @param {URL} url
 * @param {boolean} replace
 */
function go(url, replace) {
  const wanted = url.pathname + url.search;
  if (wanted === address.value) return;
  if (replace) history.replaceState(null, '', wanted);
  else history.pushState(null, '', wanted);
  address.value = wanted;
}

/** @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
  const url = new URL(link.href);
  if (url.hash || routeOf(url).page === null) return;
  event.preventDefault();
  go(url, false);
}

/**
 * @param {URL} url
 * @returns {Route}
 */
function routeOf(url) {
  const query = url.searchParams;
  const path = url.pathname.startsWith(base) ? url.pathname.slice(base.length) : url.pathname;
  for (const page of pages) {
    const params = match(page.path.slice(1).split('/'), path.split('/'));
    if (params) return { page, params, query, path };
  }
  return { page: null, params: {}, query, path };
}

/**
 * @param {string[]} pattern
 * @param {string[]} parts
 * @returns {Record<string, string> | null}
 */
function match(pattern, parts) {
  if (pattern.length !== parts.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [number, wanted] of pattern.entries()) {
    const part = parts[number] ?? '';
    if (wanted.startsWith(':')) params[wanted.slice(1)] = decoded(part);
    else if (wanted !== part) return null;
  }
  return params;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // not a valid escape: the hub will say that there is no such thing
  }
}
