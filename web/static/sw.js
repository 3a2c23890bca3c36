// @ts-check
/// <reference lib="webworker" />
/**
 * The part of the page that lives without a tab: it shows what the hub pushes, opens the page when somebody clicks on it, and says
 * "offline" where an address of ours cannot be reached. It keeps no data of the hub.
 */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const CACHE = 'agentcom-offline-1';
const OFFLINE = 'static/offline/index.html';
const KEPT = [OFFLINE, 'static/offline/offline.css', 'static/offline/offline.js', 'static/favicon.svg'];

const TITLE = 'AgentCom';

worker.addEventListener('install', (event) => {
  event.waitUntil(keep().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(forgetOlder().then(() => worker.clients.claim()));
});

/** Only where a page is opened; everything else is the page's own affair. */
worker.addEventListener('fetch', (event) => {
  if (event.request.mode === 'navigate') event.respondWith(fetch(event.request).catch(() => offline(event.request)));
  else if (KEPT.some((path) => event.request.url === address(path))) event.respondWith(fetch(event.request).catch(() => kept(event.request.url)));
});

worker.addEventListener('push', (event) => {
  const { title, body, tag, path } = read(event.data);
  const options = { body, tag, data: { path }, icon: address('static/icons/icon-192.png'), badge: address('static/icons/badge-96.png') };
  event.waitUntil(worker.registration.showNotification(title, options));
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(String(event.notification.data?.path ?? '/dashboard')));
});

/** The browser gave itself another address: the hub has to know it, or nothing arrives any more. */
worker.addEventListener('pushsubscriptionchange', (event) => {
  const { oldSubscription } = /** @type {any} */ (event);
  /** @type {any} */ (event).waitUntil(resubscribe(oldSubscription?.options));
});

/** @param {string} path below the hub's root, with or without a slash at its begin */
function address(path) {
  return new URL(path.replace(/^\/+/, ''), worker.registration.scope).href;
}

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll(KEPT.map((path) => new Request(address(path), { cache: 'reload' })));
}

async function forgetOlder() {
  for (const name of await caches.keys()) {
    if (name.startsWith('agentcom-offline-') && name !== CACHE) await caches.delete(name);
  }
}

/** @param {string} url */
async function kept(url) {
  return (await caches.match(url)) ?? Response.error();
}

/**
 * A redirection, so that the relative links of the page that says "offline" are right wherever one wanted to go.
 * @param {Request} request
 */
async function offline(request) {
  if (new URL(request.url).pathname === new URL(address(OFFLINE)).pathname) return kept(address(OFFLINE));
  return Response.redirect(`${address(OFFLINE)}?to=${encodeURIComponent(request.url.slice(worker.registration.scope.length))}`);
}

/**
 * @param {PushMessageData | null} data
 * @returns {{title: string, body: string, tag: string, path: string}}
 */
function read(data) {
  /** @type {any} */
  let message = {};
  try {
    message = data?.json() ?? {};
  } catch {
    // something that is not from this version of the hub: say at least that there is something
  }
  return { title: String(message.title ?? TITLE), body: String(message.body ?? ''), tag: String(message.tag ?? ''), path: String(message.path ?? '/dashboard') };
}

/** @param {string} path */
async function open(path) {
  const url = address(path);
  if (!url.startsWith(worker.registration.scope)) return;
  const windows = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const ours = windows.find((client) => client.url.startsWith(worker.registration.scope));
  if (!ours) {
    await worker.clients.openWindow(url);
    return;
  }
  ours.postMessage({ type: 'open', path: `/${url.slice(worker.registration.scope.length)}` });
  await ours.focus().catch(() => undefined); // allowed only right after a click
}

/** @param {PushSubscriptionOptionsInit | undefined} options */
async function resubscribe(options) {
  if (!options) return;
  const subscription = await worker.registration.pushManager.subscribe(options);
  const body = JSON.stringify(subscription);
  await fetch(address('api/push/subscriptions'), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
}
