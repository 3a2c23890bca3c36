// @ts-check
/** Puts the page together: one store, one connection, the views, the keys. */

import { HubSocket, socketAddress } from './net/socket.js';
import { Store } from './store.js';
import { startKeys } from './keys.js';
import { byId } from './ui/dom.js';
import { startTicking } from './ui/time.js';
import { toast } from './ui/toast.js';
import { startTheme } from './theme.js';
import { activityView } from './views/activity.js';
import { agentsView } from './views/agents.js';
import { completionsView } from './views/completions.js';
import { connectionView } from './views/connection.js';
import { countersView } from './views/counters.js';
import { deadLettersView } from './views/dead_letters.js';
import { healthView } from './views/health.js';
import { lanesView } from './views/lanes.js';

const REFUSALS = new Map([
  ['not_found', 'It is no longer among the dead letters.'],
  ['forbidden', 'The hub does not allow retries from this page.'],
]);

const theme = startTheme(byId('tools'));
startKeys(byId('tools'), theme);

const store = new Store();
const socket = new HubSocket(socketAddress(), {
  onConnection: (connection) => store.setConnection(connection),
  onSnapshot: (snapshot) => store.setSnapshot(snapshot),
  onEvents: (events, missed) => store.addEvents(events, missed),
  onRetryResult: retryAnswered,
  onRestart: () => {
    store.forgetDeparted();
    toast('info', 'The hub was restarted.');
  },
});

store.subscribe(connectionView({ chipSlot: byId('connection'), bannerSlot: byId('banner'), tryNow: () => socket.tryNow() }));
store.subscribe(healthView({ pillSlot: byId('health'), list: byId('conditions') }));
store.subscribe(countersView(byId('counters')));
store.subscribe(lanesView(byId('lanes')));
store.subscribe(agentsView(byId('agents')));
store.subscribe(deadLettersView(byId('dead-letters'), retry));
store.subscribe(completionsView(byId('completions')));
store.subscribe(activityView(byId('activity')));

startTicking();
socket.start();

/** @param {string} taskId */
function retry(taskId) {
  store.retryStarted(taskId);
  if (!socket.retryTask(taskId)) store.retryFailed(taskId, 'Not connected to the hub. Try again when the page is live.');
}

/**
 * @param {string} taskId
 * @param {string} status
 */
function retryAnswered(taskId, status) {
  if (status === 'requeued') {
    store.retryDone(taskId);
    toast('ok', 'The task is queued again.');
  } else {
    const reason = REFUSALS.get(status) ?? `The hub answered "${status}".`;
    store.retryFailed(taskId, reason);
    toast('warning', `The task was not queued again. ${reason}`);
  }
  socket.askSnapshot();
}
