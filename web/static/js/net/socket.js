// @ts-check
/**
 * The connection to the hub. It reconnects by itself (1 s, doubling to 30 s, plus up to 30 % jitter), notices silence,
 * gaps in the numbering and restarts of the hub, and asks for snapshots: at most one in 500 ms while events flow and
 * one in 10 s when nothing happens. It subscribes to the overview and to the views that are watched, again after each
 * reconnection, from the event on that it knows. It knows nothing of the page; it tells its listener what arrives.
 */

import { at } from '../base.js';
import { authFrame } from './access.js';
import { heard } from './pulse.js';

const BACKOFF_FIRST_MS = 1000;
const BACKOFF_MAX_MS = 30000;
const JITTER = 0.3;
const OPEN_TIMEOUT_MS = 10000;
const STALE_AFTER_MS = 45000;
const DROP_AFTER_MS = 60000;
const SNAPSHOT_GAP_MS = 500;
const SNAPSHOT_EVERY_MS = 10000;
const SLEEP_AFTER_MS = 30000;

/**
 * `phase`: connecting (first try), live, disconnected, away (the web server answers, the hub behind it does not),
 * stale (connected, but silent), asleep (closed by us, because nobody looks). `since` is when the phase began and `lostAt` when the page was last live, both in
 * this computer's Unix milliseconds; `retryAt` is when the next try begins, null while one is under way.
 * @typedef {'connecting' | 'live' | 'disconnected' | 'away' | 'stale' | 'asleep'} Phase
 * @typedef {{phase: Phase, since: number, lostAt: number | null, retryAt: number | null}} Connection
 *
 * @typedef {object} Listener
 * @property {(connection: Connection) => void} onConnection
 * @property {(snapshot: any, seq: number) => void} onSnapshot
 * @property {(events: any[], missed: number) => void} onEvents `missed`: how many numbers are absent before them
 * @property {(health: any) => void} onHealth the snapshot's `health` as it is now
 * @property {(frame: any) => void} onOther results of commands, and whatever a newer hub says
 * @property {() => void} onRestart the hub was restarted: numbers begin anew
 */

/** @returns {string} */
export function socketAddress() {
  const url = new URL(at('/ws/dashboard'), location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.search = '?protocol=2';
  url.hash = '';
  return url.href;
}

export class HubSocket {
  /**
   * @param {string} address
   * @param {Listener} listener
   */
  constructor(address, listener) {
    this.address = address;
    this.listener = listener;
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {Connection} */
    this.connection = { phase: 'connecting', since: Date.now(), lostAt: null, retryAt: null };
    this.failures = 0;
    this.lastSeq = -1;
    this.bootId = '';
    this.heardAt = 0;
    this.askedAt = -Infinity;
    this.askTimer = 0;
    this.retryTimer = 0;
    this.isWaiting = false;
    this.sleepTimer = 0;
    this.hubAway = false;
    /** How many parts of the page watch each view. @type {Map<string, number>} */
    this.views = new Map();
  }

  /**
   * From now on frames of this view come, also after a reconnection.
   * @param {string} view `task:ID` or `output:ID`
   * @returns {() => void} ends it
   */
  watch(view) {
    const watching = this.views.get(view) ?? 0;
    this.views.set(view, watching + 1);
    if (watching === 0) this.send({ type: 'subscribe', view });
    return () => this.unwatch(view);
  }

  /** @param {string} view */
  unwatch(view) {
    const left = (this.views.get(view) ?? 1) - 1;
    if (left > 0) {
      this.views.set(view, left);
    } else if (this.views.delete(view)) {
      this.send({ type: 'unsubscribe', view });
    }
  }

  start() {
    this.open();
    setInterval(() => this.check(), 1000);
    window.addEventListener('online', () => this.tryNow());
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.sleepTimer);
      if (document.hidden) this.sleepTimer = setTimeout(() => this.sleep(), SLEEP_AFTER_MS);
      else this.wake();
    });
  }

  /** Begin the next try at once; nothing happens when one is under way or the connection stands. */
  tryNow() {
    if (this.connection.phase === 'disconnected' && this.connection.retryAt !== null) this.open();
  }

  /** Ask for a snapshot now, or when 500 ms have passed since the last time. */
  askSnapshot() {
    if (this.askTimer) return;
    const wait = this.askedAt + SNAPSHOT_GAP_MS - performance.now();
    if (wait > 0) {
      this.askTimer = setTimeout(() => {
        this.askTimer = 0;
        this.askSnapshot();
      }, wait);
    } else if (this.send({ type: 'request_snapshot' })) {
      this.askedAt = performance.now();
      this.isWaiting = true;
    }
  }

  open() {
    clearTimeout(this.retryTimer);
    this.update({ retryAt: null });
    const socket = new WebSocket(this.address);
    this.socket = socket;
    this.hubAway = false;
    const giveUp = setTimeout(() => this.drop(socket), OPEN_TIMEOUT_MS);
    socket.addEventListener('open', () => {
      clearTimeout(giveUp);
      this.heardAt = performance.now();
      this.askedAt = performance.now();
      const auth = authFrame();
      if (auth) this.send(auth);
    });
    socket.addEventListener('message', (message) => {
      if (this.socket === socket) this.receive(message.data);
    });
    socket.addEventListener('close', () => {
      clearTimeout(giveUp);
      this.drop(socket);
    });
  }

  /** Close the connection and make another one at once. */
  reconnect() {
    this.sleep();
    this.wake();
  }

  /** R11: nobody looks, so nothing has to travel. */
  sleep() {
    const socket = this.socket;
    this.socket = null;
    clearTimeout(this.retryTimer);
    socket?.close();
    this.update({ phase: 'asleep', retryAt: null });
  }

  wake() {
    if (this.connection.phase !== 'asleep') return this.check();
    this.update({ phase: 'connecting', lostAt: null });
    this.open();
  }

  /** @param {WebSocket} socket */
  drop(socket) {
    if (this.socket !== socket) return;
    this.socket = null;
    socket.close();
    const base = Math.min(BACKOFF_FIRST_MS * 2 ** this.failures, BACKOFF_MAX_MS);
    const delay = base * (1 + Math.random() * JITTER);
    this.failures += 1;
    this.update({ phase: 'disconnected', retryAt: Date.now() + delay });
    this.retryTimer = setTimeout(() => this.open(), delay);
  }

  /** @param {unknown} text */
  receive(text) {
    this.heardAt = performance.now();
    if (this.connection.phase === 'stale') this.update({ phase: 'live' });
    try {
      this.dispatch(JSON.parse(String(text)));
    } catch (error) {
      console.warn('a frame of the hub was not understood; asking for a snapshot', error);
      this.askSnapshot();
    }
  }

  /** @param {any} frame */
  dispatch(frame) {
    switch (frame.type) {
      case 'hello':
        return this.greeted(frame);
      case 'subscribed':
        return this.subscribed(frame);
      case 'snapshot':
        return this.snapshot(frame);
      case 'events':
        return this.events(frame);
      case 'health':
        return this.listener.onHealth(frame.health);
      case 'hub_status':
        return this.hubStatus(frame.status);
      default:
        return this.listener.onOther(frame);
    }
  }

  /** @param {any} frame */
  greeted(frame) {
    this.hubAway = frame.hub === 'away';
    if (this.hubAway) this.update({ phase: 'away', retryAt: null });
    const known = this.lastSeq >= 0 ? { boot_id: this.bootId, seq: this.lastSeq } : {};
    this.send({ type: 'subscribe', view: 'overview', ...known });
    for (const view of this.views.keys()) this.send({ type: 'subscribe', view });
    this.listener.onOther(frame);
  }

  /** @param {any} frame `resumed`: the hub goes on where this page was, without a snapshot */
  subscribed(frame) {
    if (frame.view !== 'overview' || frame.resumed !== true) return;
    this.failures = 0;
    this.update({ phase: 'live', retryAt: null });
  }

  /** @param {any} frame */
  snapshot(frame) {
    const seq = frame.seq ?? frame.data.seq ?? this.lastSeq;
    this.noticeBoot(frame.boot_id ?? frame.data.boot_id);
    this.lastSeq = Math.max(this.lastSeq, seq);
    this.failures = 0;
    if (this.isWaiting) heard(performance.now() - this.askedAt);
    this.isWaiting = false;
    this.listener.onSnapshot(frame.data, seq);
    this.update({ phase: this.hubAway ? 'away' : 'live', retryAt: null });
  }

  /** @param {any} frame */
  events(frame) {
    this.noticeBoot(frame.boot_id);
    const missed = this.lastSeq < 0 ? 0 : Math.max(0, frame.first_seq - this.lastSeq - 1);
    this.lastSeq = Math.max(this.lastSeq, frame.seq ?? this.lastSeq);
    this.listener.onEvents(frame.data, missed);
    this.askSnapshot(); // whatever was missed, the snapshot contains
  }

  /** @param {unknown} bootId */
  noticeBoot(bootId) {
    if (typeof bootId !== 'string' || bootId === this.bootId) return;
    const first = this.bootId === '';
    this.bootId = bootId;
    if (first) return;
    this.lastSeq = -1;
    this.listener.onRestart();
    this.askSnapshot();
  }

  /** @param {unknown} status */
  hubStatus(status) {
    this.hubAway = status === 'away';
    if (this.hubAway) this.update({ phase: 'away' });
    else this.askSnapshot();
  }

  check() {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      if (this.connection.retryAt !== null && Date.now() > this.connection.retryAt + 1000) this.open();
      return;
    }
    const now = performance.now();
    const silence = now - this.heardAt;
    if (silence > DROP_AFTER_MS) this.drop(this.socket);
    else if (silence > STALE_AFTER_MS && this.connection.phase === 'live') this.update({ phase: 'stale' });
    if (now - this.askedAt > SNAPSHOT_EVERY_MS) this.askSnapshot();
  }

  /**
   * @param {object} message
   * @returns {boolean}
   */
  send(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** @param {Partial<Connection>} change */
  update(change) {
    const before = this.connection;
    const after = { ...before, ...change };
    if (after.phase !== before.phase) {
      after.since = Date.now();
      if (before.phase === 'live') after.lostAt = after.since;
    } else if (after.retryAt === before.retryAt) {
      return;
    }
    this.connection = after;
    this.listener.onConnection(after);
  }
}
