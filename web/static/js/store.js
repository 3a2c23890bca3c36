// @ts-check
/**
 * The one place where the page's data lives. Snapshots are the truth; events only fill the activity list and move
 * agents between two snapshots. Views subscribe and get the whole state; several changes in a row make one call.
 */

import { correctClock, hubNow } from './ui/time.js';

const ACTIVITY_KEPT = 50;
const RETRY_ANSWER_MS = 10000;
const OFFLINE_SHOWN_MS = 24 * 3600 * 1000;

/**
 * @typedef {{id: string, severity: string, message: string, since: number | null}} Condition
 * @typedef {{agent_id: string, name: string, fsm_state: string, current_task_id: string | null,
 *   capabilities: string[], connected_at: number | null, last_state_change: number | null, flags: string[]}} Agent
 * @typedef {{id: string, description: string, last_error: string | null, retry_count: number, created_at: number}} DeadLetter
 * @typedef {{task_id: string, agent_id: string | null, description: string, duration_ms: number, tokens_used: number,
 *   completed_at: number}} Completion
 * @typedef {{key: string, type: string, event: string, task_id: string, agent_id: string, name: string, status: string,
 *   clean: boolean, progress: number | null, missed: number, timestamp: number}} Activity
 * @typedef {{status: 'pending' | 'requeued' | 'failed', reason: string}} Retry
 *
 * @typedef {object} State
 * @property {any | null} snapshot the last one, as sent; null before the first
 * @property {Condition[]} conditions
 * @property {Agent[]} agents those that are connected, and those that this page saw going without a good-bye
 * @property {Activity[]} activity newest first
 * @property {Map<string, Retry>} retries by task id
 * @property {import('./net/socket.js').Connection} connection
 * @property {number} bootedAt when the hub started, in its own time; 0 when unknown
 */

export class Store {
  constructor() {
    /** @type {State} */
    this.state = {
      snapshot: null,
      conditions: [],
      agents: [],
      activity: [],
      retries: new Map(),
      connection: { phase: 'connecting', since: Date.now(), lostAt: null, retryAt: null },
      bootedAt: 0,
    };
    /** @type {Map<string, Agent>} */
    this.connected = new Map();
    /** @type {Map<string, Agent>} */
    this.departed = new Map();
    /** @type {Set<(state: State) => void>} */
    this.listeners = new Set();
    this.queued = false;
    this.unnumbered = 0;
  }

  /** @param {(state: State) => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
    listener(this.state);
  }

  changed() {
    if (this.queued) return;
    this.queued = true;
    setTimeout(() => {
      this.queued = false;
      for (const listener of this.listeners) listener(this.state);
    }, 0);
  }

  /** @param {import('./net/socket.js').Connection} connection */
  setConnection(connection) {
    this.state.connection = connection;
    if (connection.phase !== 'live') this.failPendingRetries('The connection was lost before the hub answered.');
    this.changed();
  }

  /** @param {any} snapshot */
  setSnapshot(snapshot) {
    if (typeof snapshot.timestamp === 'number') correctClock(snapshot.timestamp);
    this.state.snapshot = snapshot;
    this.state.bootedAt = Number(snapshot.timestamp) - Number(snapshot.uptime_ms) || 0;
    this.state.conditions = conditionsOf(snapshot.health);
    const before = this.connected;
    this.connected = new Map();
    for (const raw of snapshot.agents ?? []) {
      const agent = agentOf(raw, before.get(raw.agent_id));
      this.connected.set(agent.agent_id, agent);
      this.departed.delete(agent.agent_id);
    }
    this.settleRetries(new Set((snapshot.dead_letter_tasks ?? []).map((/** @type {any} */ task) => task.id)));
    this.listAgents();
    this.changed();
  }

  /**
   * @param {any[]} events oldest first
   * @param {number} missed how many events before them never arrived
   */
  addEvents(events, missed) {
    const entries = missed > 0 ? [{ ...this.activityOf({ type: 'missed' }), missed }] : [];
    for (const event of events) {
      entries.push(this.activityOf(event));
      this.moveAgent(event);
    }
    this.state.activity = [...entries.reverse(), ...this.state.activity].slice(0, ACTIVITY_KEPT);
    this.listAgents();
    this.changed();
  }

  /** The hub was restarted: who was offline then is not known to be missing now. */
  forgetDeparted() {
    this.departed.clear();
    this.listAgents();
  }

  /** @param {string} taskId */
  retryStarted(taskId) {
    const retry = /** @type {Retry} */ ({ status: 'pending', reason: '' });
    this.state.retries.set(taskId, retry);
    setTimeout(() => {
      if (this.state.retries.get(taskId) === retry) this.retryFailed(taskId, 'The hub did not answer within 10 s.');
    }, RETRY_ANSWER_MS);
    this.changed();
  }

  /** @param {string} taskId */
  retryDone(taskId) {
    this.state.retries.set(taskId, { status: 'requeued', reason: '' });
    this.changed();
  }

  /**
   * @param {string} taskId
   * @param {string} reason a sentence
   */
  retryFailed(taskId, reason) {
    this.state.retries.set(taskId, { status: 'failed', reason });
    this.changed();
  }

  /** @param {string} reason */
  failPendingRetries(reason) {
    for (const [taskId, retry] of this.state.retries) if (retry.status === 'pending') this.retryFailed(taskId, reason);
  }

  /** @param {Set<string>} dead ids of the tasks that are dead letters now */
  settleRetries(dead) {
    for (const [taskId, retry] of this.state.retries) {
      if (!dead.has(taskId) && retry.status !== 'pending') this.state.retries.delete(taskId);
    }
  }

  /** @param {any} event */
  moveAgent(event) {
    const id = event.agent_id;
    const known = this.connected.get(id);
    if (event.type === 'agent_left') {
      this.connected.delete(id);
      if (known && event.clean !== true) {
        this.departed.set(id, { ...known, fsm_state: 'offline', flags: [], last_state_change: event.timestamp ?? hubNow() });
      }
    } else if (event.type === 'agent_joined' || (event.type === 'status_changed' && known)) {
      this.departed.delete(id);
      const stateChanged = known?.fsm_state !== event.fsm_state;
      const change = stateChanged ? { last_state_change: event.timestamp ?? hubNow() } : {};
      this.connected.set(id, agentOf({ ...known, ...event, ...change }, known));
    }
  }

  listAgents() {
    for (const [id, agent] of this.departed) {
      if (hubNow() - Number(agent.last_state_change) > OFFLINE_SHOWN_MS) this.departed.delete(id);
    }
    this.state.agents = [...this.connected.values(), ...this.departed.values()];
  }

  /**
   * @param {any} event
   * @returns {Activity}
   */
  activityOf(event) {
    const seq = event.seq ?? `unnumbered-${(this.unnumbered += 1)}`;
    const agentId = String(event.agent_id ?? '');
    return {
      key: `${this.state.snapshot?.boot_id ?? ''}-${seq}`,
      type: String(event.type),
      event: String(event.event ?? ''),
      task_id: String(event.task_id ?? ''),
      agent_id: agentId,
      name: String(event.name ?? this.connected.get(agentId)?.name ?? this.departed.get(agentId)?.name ?? agentId),
      status: String(event.fsm_state ?? event.status ?? ''),
      clean: event.clean === true,
      progress: typeof event.progress === 'number' ? event.progress : null,
      missed: 0,
      timestamp: event.timestamp ?? Math.round(hubNow()),
    };
  }
}

/**
 * @param {any} raw
 * @param {Agent} [known] what is known of it already: snapshots do not repeat flags
 * @returns {Agent}
 */
function agentOf(raw, known) {
  return {
    agent_id: String(raw.agent_id),
    name: String(raw.name ?? known?.name ?? raw.agent_id),
    fsm_state: String(raw.fsm_state ?? 'idle'),
    current_task_id: raw.current_task_id ?? null,
    capabilities: (raw.capabilities ?? []).map((/** @type {any} */ one) => String(one?.name ?? one)),
    connected_at: raw.connected_at ?? raw.timestamp ?? null,
    last_state_change: raw.last_state_change ?? raw.timestamp ?? null,
    flags: raw.flags ?? known?.flags ?? [],
  };
}

/**
 * @param {any} health
 * @returns {Condition[]}
 */
function conditionsOf(health) {
  if (Array.isArray(health?.details)) return health.details;
  const severity = health?.status === 'critical' ? 'critical' : 'warning';
  return (health?.conditions ?? []).map((/** @type {string} */ message) => ({ id: message, severity, message, since: null }));
}
