// @ts-check
/**
 * The one place where the page's live data stands. Snapshots are the truth; events only fill the activity list and move agents
 * between two snapshots, and health comes whenever it changes. What arrives is folded into `truth` at once and shown through the signals below; while the page is paused
 * the signals stand still and only `pending` counts.
 */

import { batch, computed, signal } from '@preact/signals';
import { get } from '../net/api.js';
import { HubSocket, socketAddress } from '../net/socket.js';
import { correctClock, freeze, hubNow } from '../ui/clock.js';
import { toast } from '../ui/toast.js';
import { agentOf, conditionsOf, entryOf, keepEqual, withPast, withoutLongGone } from './picture.js';

const ACTIVITY_KEPT = 500;
const SILENCE_MS = 1500;

/**
 * @typedef {import('./picture.js').Agent} Agent
 * @typedef {import('./picture.js').Condition} Condition
 * @typedef {import('./picture.js').Entry} Entry
 * @typedef {import('../net/socket.js').Connection} Connection
 */

/** @type {import('@preact/signals').Signal<any | null>} the last snapshot, as sent; null before the first */
export const snapshot = signal(null);
/** @type {import('@preact/signals').Signal<Agent[]>} those that are connected, and those that this page saw going without a good-bye */
export const agents = signal([]);
/** @type {import('@preact/signals').Signal<Entry[]>} newest first */
export const activity = signal([]);
/** The number of the newest event that is shown; pages that read lists ask again when it grows. */
export const seq = signal(0);
/** @type {import('@preact/signals').Signal<Connection>} */
export const connection = signal({ phase: 'connecting', since: Date.now(), lostAt: null, retryAt: null });
export const paused = signal(false);
/** Events that arrived while paused. */
export const pending = signal(0);
/** Grows when the hub was restarted. */
export const boots = signal(0);

export const isLive = computed(() => connection.value.phase === 'live');
/** @type {import('@preact/signals').ReadonlySignal<Condition[]>} the worst first */
export const conditions = computed(() => conditionsOf(snapshot.value?.health));
/** @type {import('@preact/signals').ReadonlySignal<Condition[]>} those that nobody looks after yet */
export const unacknowledged = computed(() => conditions.value.filter((one) => !one.acknowledged));
/** @type {import('@preact/signals').ReadonlySignal<string>} ok, warning, critical; unknown before the first snapshot */
export const severity = computed(() => String(snapshot.value?.health?.status ?? 'unknown'));

/** What is known, shown or not. */
const truth = {
  /** @type {any | null} */
  snapshot: null,
  /** @type {Map<string, Agent>} */
  connected: new Map(),
  /** @type {Map<string, Agent>} */
  departed: new Map(),
  /** @type {Entry[]} */
  activity: [],
  seq: 0,
};

/** @type {Set<(frame: any) => void>} */
const listeners = new Set();

const socket = new HubSocket(socketAddress(), {
  onConnection: (now) => {
    connection.value = now;
  },
  onSnapshot: takeSnapshot,
  onEvents: takeEvents,
  onHealth: takeHealth,
  onOther: (frame) => listeners.forEach((listener) => listener(frame)),
  onRestart: () => {
    truth.departed.clear(); // who was offline then is not known to be missing now
    truth.seq = 0; // its events are numbered anew
    boots.value += 1;
    toast('info', 'The hub was restarted.');
  },
});

export function start() {
  socket.start();
  // A hub that is silent may be one that wants to know who asks; an answer over HTTP says so.
  setTimeout(() => {
    if (truth.snapshot === null) get('/api/dashboard/state').catch(() => {});
  }, SILENCE_MS);
}

/** With a token that the connection before did not have. */
export function reconnect() {
  socket.reconnect();
}

export function tryNow() {
  socket.tryNow();
}

export function askSnapshot() {
  socket.askSnapshot();
}

/**
 * Frames of one view (`task:ID`, `output:ID`), and `hello` after each (re)connection, before which something may have been missed.
 * @param {string} view
 * @param {(frame: any) => void} listener
 * @returns {() => void} ends it
 */
export function watch(view, listener) {
  const ends = [socket.watch(view), onFrame((frame) => (frame.view === view || frame.type === 'hello') && listener(frame))];
  return () => ends.forEach((end) => end());
}

/**
 * Frames that are neither snapshots nor events: results of commands, of views, and what a newer hub says.
 * @param {(frame: any) => void} listener
 * @returns {() => void} stops it
 */
function onFrame(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** R10: changes on screen stop, the connection does not. */
export function togglePause() {
  paused.value = !paused.value;
  freeze(paused.value);
  if (!paused.value) show();
}

/** @param {any} found */
function takeSnapshot(found) {
  if (typeof found.timestamp === 'number') correctClock(found.timestamp);
  const before = truth.connected;
  truth.snapshot = keepEqual(truth.snapshot, found);
  truth.connected = new Map();
  for (const raw of found.agents ?? []) {
    const agent = agentOf(raw, before.get(raw.agent_id));
    truth.connected.set(agent.agent_id, agent);
    truth.departed.delete(agent.agent_id);
  }
  truth.seq = Math.max(truth.seq, Number(found.seq ?? 0));
  show();
  if (!isPastAsked) void readPast();
}

let isPastAsked = false;

/** What happened before this page was opened, once; without it the list begins empty. */
async function readPast() {
  isPastAsked = true;
  const read = await get('/api/dashboard/events').catch(() => null);
  const boot = String(truth.snapshot?.boot_id ?? '');
  const past = (read?.events ?? []).reverse().map((/** @type {any} */ event) => entryOf(event, boot, nameOf(event)));
  truth.activity = withPast(truth.activity, past).slice(0, ACTIVITY_KEPT);
  show();
}

/** @param {any} event */
function nameOf(event) {
  const id = String(event.agent_id ?? '');
  return String(event.name ?? truth.connected.get(id)?.name ?? truth.departed.get(id)?.name ?? id);
}

/** @param {any} health changed between two snapshots, and perhaps without an event */
function takeHealth(health) {
  if (truth.snapshot === null) return;
  truth.snapshot = keepEqual(truth.snapshot, { ...truth.snapshot, health });
  show();
}

/**
 * @param {any[]} events oldest first
 * @param {number} missed how many events before them never arrived
 */
function takeEvents(events, missed) {
  const boot = String(truth.snapshot?.boot_id ?? '');
  const entries = missed > 0 ? [entryOf({ type: 'missed', missed }, boot, '')] : [];
  for (const event of events) {
    entries.push(entryOf(event, boot, nameOf(event)));
    moveAgent(event);
  }
  truth.activity = [...entries.reverse(), ...truth.activity].slice(0, ACTIVITY_KEPT);
  truth.seq = Math.max(truth.seq, Number(events.at(-1)?.seq ?? 0));
  show();
}

function show() {
  if (paused.value) {
    // By their numbers, as a snapshot stands for events that are not sent any more.
    pending.value = Math.max(pending.peek(), truth.seq - seq.peek());
    return;
  }
  batch(() => {
    snapshot.value = truth.snapshot;
    agents.value = keepEqual(agents.peek(), [...truth.connected.values(), ...withoutLongGone(truth.departed)]);
    activity.value = truth.activity;
    seq.value = truth.seq;
    pending.value = 0;
  });
}

/** @param {any} event */
function moveAgent(event) {
  const id = event.agent_id;
  const known = truth.connected.get(id);
  if (event.type === 'agent_left') {
    truth.connected.delete(id);
    if (known && event.clean !== true && (known.raw.mode ?? 'active') === 'active') {
      truth.departed.set(id, { ...known, fsm_state: 'offline', flags: [], last_state_change: event.timestamp ?? hubNow() });
    }
  } else if (event.type === 'agent_forgotten') {
    truth.departed.delete(id);
  } else if (event.type === 'agent_joined' || (event.type === 'status_changed' && known)) {
    truth.departed.delete(id);
    const stateChanged = known?.fsm_state !== event.fsm_state;
    const change = stateChanged ? { last_state_change: event.timestamp ?? hubNow() } : {};
    truth.connected.set(id, agentOf({ ...known, ...event, ...change }, known));
  }
}
