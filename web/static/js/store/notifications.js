// @ts-check
/**
 * Telling somebody who does not look: notifications of this browser, from the hub by Web Push where that works, and otherwise from
 * this page for as long as a tab is open (`page_notices.js`).
 */

import { batch, computed, signal } from '@preact/signals';
import { get, post, remove } from '../net/api.js';
import { navigate } from '../router.js';
import { kept } from './kept.js';
import { watchFromHere } from './page_notices.js';
import { isPossible, register, registration } from './service_worker.js';

/** What people want; whether the browser lets us is `permission`. */
const isWanted = kept('agentcom.notifications', false);

/** @type {import('@preact/signals').Signal<string>} granted, denied, default, or unsupported */
export const permission = signal(isPossible && 'Notification' in window ? Notification.permission : 'unsupported');

/** The id of this browser's subscription at the hub; null: the hub cannot reach this browser without a tab. */
export const pushId = kept('agentcom.push-id', '');

export const isOn = computed(() => isWanted.value && permission.value === 'granted');

export function startNotifications() {
  if (!isPossible) return;
  navigator.serviceWorker.addEventListener('message', ({ data }) => {
    if (data?.type === 'open' && typeof data.path === 'string') navigate(data.path);
  });
  const isInstalled = window.matchMedia('(display-mode: standalone)').matches;
  if (isOn.peek() || isInstalled) register().then(confirmSubscription).catch(() => undefined);
  watchFromHere();
}

/**
 * Ask the browser, and let the hub reach it where that works. To be called from a click.
 * @returns {Promise<string>} a sentence about what is on now
 */
export async function enable() {
  permission.value = await Notification.requestPermission();
  if (permission.value !== 'granted') throw new Error('The browser does not allow notifications from this hub. Its settings for this site say so.');
  const worker = await register();
  const { id, reason } = await subscribe(worker).then((made) => ({ id: made, reason: '' }), (error) => ({ id: '', reason: reasonOf(error) }));
  batch(() => {
    pushId.value = id;
    isWanted.value = true;
  });
  if (id) return 'This browser is told, also when no tab is open.';
  return `This browser is told while a tab is open. Without one it cannot be reached: ${reason}`;
}

export async function disable() {
  isWanted.value = false;
  const id = pushId.peek();
  pushId.value = '';
  const worker = await registration();
  const subscription = await worker?.pushManager?.getSubscription();
  await subscription?.unsubscribe();
  if (id) await remove(`/api/push/subscriptions/${encodeURIComponent(id)}`).catch(() => undefined);
}

/** @returns {Promise<string>} a sentence about what was done */
export async function sendTest() {
  if (pushId.peek()) {
    await post(`/api/push/subscriptions/${encodeURIComponent(pushId.peek())}/test`);
    return 'The hub sends a test to this browser by way of its push service.';
  }
  await show('test', 'AgentCom can reach you', 'This is a test, from this page.', '/settings');
  return 'This page showed a test.';
}

/**
 * @param {ServiceWorkerRegistration} worker
 * @returns {Promise<string>} the id of the subscription
 */
async function subscribe(worker) {
  const { public_key: key } = await post('/api/push/key', {}, { timeoutMs: 15000 });
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const known = await worker.pushManager.getSubscription();
  if (known && !isFor(known, key)) await known.unsubscribe(); // of another hub at this address
  const subscription = await worker.pushManager.subscribe(options);
  const { id } = await post('/api/push/subscriptions', { ...subscription.toJSON(), label: labelOf(navigator.userAgent) });
  return id;
}

/**
 * @param {PushSubscription} subscription
 * @param {string} key base64url
 */
function isFor(subscription, key) {
  const used = subscription.options.applicationServerKey;
  if (!used) return false;
  const text = btoa(String.fromCharCode(...new Uint8Array(used)));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key;
}

/** The hub may have forgotten this browser, because its push service once said that it is gone. */
async function confirmSubscription() {
  if (!pushId.peek()) return;
  const { subscriptions } = await get('/api/push');
  if (!subscriptions.some((/** @type {{id: string}} */ one) => one.id === pushId.peek())) pushId.value = '';
}

/**
 * "Firefox on Linux": enough to tell one's browsers apart.
 * @param {string} agent
 */
function labelOf(agent) {
  const browser = [['Firefox', /Firefox\//], ['Edge', /Edg\//], ['Chrome', /Chrome\//], ['Safari', /Safari\//]].find(([, sign]) => /** @type {RegExp} */ (sign).test(agent));
  const system = [['Android', /Android/], ['iOS', /iPhone|iPad/], ['Windows', /Windows/], ['macOS', /Mac OS/], ['Linux', /Linux/]].find(([, sign]) => /** @type {RegExp} */ (sign).test(agent));
  return `${browser?.[0] ?? 'Browser'}${system ? ` on ${system[0]}` : ''}`;
}

// --- shared ----------------------------------------------------------------------------------------------------------

/**
 * @param {string} tag a later notification of a kind replaces the one before it
 * @param {string} title
 * @param {string} body
 * @param {string} path
 */
export async function show(tag, title, body, path) {
  const worker = (await registration()) ?? (await register());
  await worker.showNotification(title, { tag, body, data: { path }, icon: new URL('static/icons/icon-192.png', worker.scope).href });
}

/** @param {unknown} error */
function reasonOf(error) {
  return error instanceof Error && error.message ? error.message : 'the browser has no push service.';
}
