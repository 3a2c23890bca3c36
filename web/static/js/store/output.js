// @ts-check
/**
 * What one task prints, read in order: the end of it over HTTP, news over the socket, and again over HTTP what was missed. Lines
 * are numbered from 1 within an attempt; a number that never comes was lost on its way to the hub.
 */

import { Problem, get } from '../net/api.js';
import { watch } from './hub.js';

export const LINES_KEPT = 5000;
const OLDER_AT_ONCE = 1000;

/**
 * @typedef {[stream: 'out' | 'err', text: string]} Line
 * @typedef {{first_seq: number, lines: Line[]}} Part
 * @typedef {{generation: number, agent_id: string, last_seq: number}} Attempt
 *
 * @typedef {object} Reader
 * @property {() => void} begin all that was shown is of the past: another attempt, or the same one from another place
 * @property {(part: Part) => void} append
 * @property {(part: Part) => void} prepend
 * @property {(state: State) => void} changed
 *
 * `keptFrom`: the oldest line that the hub still has. `isAtEnd`: whether news are shown as they come.
 * @typedef {{generation: number | null, attempts: Attempt[], keptFrom: number, lastSeq: number, problem: string, isRead: boolean, isAtEnd: boolean}} State
 */

export class OutputStream {
  /**
   * @param {string} taskId
   * @param {Reader} reader
   */
  constructor(taskId, reader) {
    this.taskId = taskId;
    this.path = `/api/dashboard/tasks/${encodeURIComponent(taskId)}/output`;
    this.reader = reader;
    /** @type {State} */
    this.state = { generation: null, attempts: [], keptFrom: 1, lastSeq: 0, problem: '', isRead: false, isAtEnd: true };
    /** Of an attempt that the reader chose; null: always the newest. @type {number | null} */
    this.chosen = null;
    this.first = 1;
    this.last = 0;
    this.isReading = false;
    this.mustReadAgain = false;
    this.isStopped = false;
    /** @type {any[]} */
    this.waiting = [];
  }

  /** @returns {() => void} stops it */
  start() {
    const end = watch(`output:${this.taskId}`, (frame) => this.take(frame));
    void this.readEnd();
    return () => {
      this.isStopped = true;
      end();
    };
  }

  /** @param {number | null} generation */
  choose(generation) {
    this.chosen = generation;
    void this.readEnd();
  }

  /** The newest lines, in place of all that was shown. */
  async readEnd() {
    const page = await this.read({ limit: LINES_KEPT });
    if (!page) return;
    this.reader.begin();
    this.first = page.parts[0]?.first_seq ?? page.last_seq + 1;
    this.last = page.last_seq;
    for (const part of page.parts) this.reader.append(part);
    this.update({ generation: page.generation, isRead: true, isAtEnd: true });
    this.catchUp();
  }

  /** The lines before the first one that is shown. */
  async readOlder() {
    if (this.first <= this.state.keptFrom || this.state.generation === null) return;
    const page = await this.read({ before: this.first, limit: OLDER_AT_ONCE, generation: this.state.generation });
    if (!page) return;
    for (const part of [...page.parts].reverse()) this.reader.prepend(part);
    this.first = page.parts[0]?.first_seq ?? this.state.keptFrom;
    this.update({});
  }

  /** The reader let go of the newest lines to make room: news are not shown until `readEnd`. */
  leaveEnd() {
    this.update({ isAtEnd: false });
  }

  /** @param {any} frame */
  take(frame) {
    if (frame.type === 'hello') {
      if (this.state.isRead) void this.readNews();
    } else if (this.isReading) {
      this.waiting.push(frame);
    } else {
      this.show(frame);
    }
  }

  /** @param {any} frame */
  show(frame) {
    if (frame.missed) return void this.readNews();
    if (frame.generation !== this.state.generation) {
      if (this.chosen === null && frame.generation > (this.state.generation ?? -1)) void this.readEnd();
      return;
    }
    for (const part of frame.parts) this.append(part);
    this.update({});
  }

  /** @param {Part} part */
  append(part) {
    const end = part.first_seq + part.lines.length - 1;
    if (part.first_seq === 1 && this.last > 0) return void this.readEnd(); // the attempt was begun anew
    if (end <= this.last) return;
    const fresh = part.first_seq > this.last ? part : { first_seq: this.last + 1, lines: part.lines.slice(this.last + 1 - part.first_seq) };
    this.last = end;
    if (this.state.isAtEnd) this.reader.append(fresh);
  }

  /** What came since the last line, or the newest attempt when that is another one. */
  async readNews() {
    if (this.isReading) {
      this.mustReadAgain = true;
      return;
    }
    const page = await this.read({ after: this.last, limit: LINES_KEPT });
    if (!page) return;
    if (page.generation !== this.state.generation || page.last_seq < this.last) return void this.readEnd();
    for (const part of page.parts) this.append(part);
    this.update({});
    this.catchUp();
    if (this.last < page.last_seq) void this.readNews();
  }

  catchUp() {
    const waiting = this.waiting;
    this.waiting = [];
    for (const frame of waiting) this.show(frame);
    if (this.mustReadAgain) {
      this.mustReadAgain = false;
      void this.readNews();
    }
  }

  /**
   * @param {Record<string, number>} query
   * @returns {Promise<any | null>} null when there was no answer, or nobody waits for it any more
   */
  async read(query) {
    this.isReading = true;
    const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    if (this.chosen !== null && !asked.has('generation')) asked.set('generation', String(this.chosen));
    try {
      const page = await get(`${this.path}?${asked}`);
      if (this.isStopped) return null;
      this.update({ attempts: page.attempts, keptFrom: page.kept_from, problem: '' });
      return page;
    } catch (error) {
      if (!this.isStopped) this.update({ problem: error instanceof Problem ? error.detail : String(error), isRead: true });
      return null;
    } finally {
      this.isReading = false;
    }
  }

  /** @param {Partial<State>} change */
  update(change) {
    this.state = { ...this.state, ...change, lastSeq: this.last };
    this.reader.changed(this.state);
  }
}
