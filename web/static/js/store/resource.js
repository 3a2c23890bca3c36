// @ts-check
/**
 * What a page reads over HTTP, kept fresh: it is asked for again when the hub reports events (at most once a second), and now and
 * then anyway; not while the tab is hidden or the page is paused, and at once when it is shown or resumed.
 */

import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Problem, get } from '../net/api.js';
import { slowness } from '../net/pulse.js';
import { paused, seq } from './hub.js';

const AT_MOST_EVERY_MS = 1000;
const AT_MOST_EVERY_SLOW_MS = 5000;

/**
 * @typedef {object} Resource
 * @property {any | null} data the last good answer; kept while the next one is on its way, and when it fails
 * @property {Problem | null} problem why the last try failed
 * @property {boolean} isLoading whether an answer to the present path was never seen
 * @property {string} path what `data` is the answer to
 */

/**
 * @param {string | null} path from the hub's root; null asks nothing. Another path is asked for at once.
 * @param {{everyMs?: number, onEvents?: boolean}} [options] `everyMs`: also without events
 * @returns {Resource & {reload: () => void}}
 */
export function useResource(path, { everyMs = 10000, onEvents = true } = {}) {
  const reading = useMemo(() => new Reading(everyMs, onEvents), []);
  useEffect(() => reading.start(), []);
  useEffect(() => reading.ask(path), [path]);
  const { data, problem, path: answered } = reading.state.value;
  return { data, problem, path: answered, isLoading: answered !== path && problem === null, reload: () => reading.now() };
}

class Reading {
  /**
   * @param {number} everyMs
   * @param {boolean} onEvents
   */
  constructor(everyMs, onEvents) {
    /** @type {import('@preact/signals').Signal<{data: any, problem: Problem | null, path: string}>} */
    this.state = signal({ data: null, problem: null, path: '' });
    this.everyMs = everyMs;
    this.onEvents = onEvents;
    /** @type {string | null} */
    this.path = null;
    /** @type {AbortController | null} */
    this.asking = null;
    this.askedAt = -Infinity;
    this.timer = 0;
    this.due = 0;
    this.isStopped = false;
  }

  /** @returns {() => void} */
  start() {
    const gap = () => (slowness.peek() > 0 ? AT_MOST_EVERY_SLOW_MS : AT_MOST_EVERY_MS);
    const soon = () => this.after(Math.max(0, this.askedAt + gap() - performance.now()));
    const ends = [paused.subscribe(() => this.path !== null && soon())];
    if (this.onEvents) ends.push(seq.subscribe(() => this.path !== null && soon()));
    document.addEventListener('visibilitychange', soon);
    return () => {
      this.isStopped = true;
      clearTimeout(this.timer);
      this.asking?.abort();
      document.removeEventListener('visibilitychange', soon);
      for (const end of ends) end();
    };
  }

  /** @param {string | null} path */
  ask(path) {
    if (path === this.path) return;
    this.path = path;
    this.asking?.abort();
    this.asking = null;
    this.now();
  }

  now() {
    clearTimeout(this.timer);
    this.timer = 0;
    void this.read();
  }

  /** @param {number} ms asked for sooner already, it stays so */
  after(ms) {
    if (this.isStopped) return;
    const due = performance.now() + ms;
    if (this.timer && this.due <= due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.now(), ms);
  }

  async read() {
    const path = this.path;
    if (path === null || this.asking || this.isStopped) return;
    const isFirst = this.state.peek().path !== path;
    if (!isFirst && (document.hidden || paused.peek())) return;
    const asking = new AbortController();
    this.asking = asking;
    this.askedAt = performance.now();
    try {
      const data = await get(path, { signal: asking.signal });
      if (this.asking === asking) this.state.value = { data, problem: null, path };
    } catch (error) {
      if (this.asking !== asking) return;
      const problem = error instanceof Problem ? error : new Problem(0, 'failed', String(error));
      this.state.value = { data: isFirst ? null : this.state.peek().data, problem, path };
    } finally {
      if (this.asking === asking) {
        this.asking = null;
        this.after(this.everyMs);
      }
    }
  }
}
