// @ts-check
/**
 * A window on a list of any length: one run of rows that lie beside each other, which grows at both ends as the reader scrolls and is
 * left for another when he jumps. The hub finds, sorts and counts; here are never more than 2,000 rows. Rows change in place; new ones
 * are counted and wait.
 */

import { signal } from '@preact/signals';
import { Problem, get } from '../net/api.js';

const PAGE = 100;
const ROWS_MAX = 2000;

/**
 * A task as a list shows it.
 * @typedef {{id: string, title: string, status: string, priority: number, assigned_to: string | null, generation: number,
 *   retry_count: number, max_retries: number, created_at: number, updated_at: number, completed_at: number | null,
 *   assigned_at: number | null, last_error: string | null, tokens_used: number, isGone?: boolean, [field: string]: any}} Row
 *
 * @typedef {{asked: Record<string, string>, rows: Row[], previous: string | null, next: string | null}} Page
 *
 * @typedef {object} State
 * @property {Page[]} pages side by side
 * @property {number} start place of the first row in the whole list, as far as it is known
 * @property {{count: number, is_exact: boolean} | null} total
 * @property {Problem | null} problem
 * @property {boolean} isLoading nothing of the present question has been answered
 * @property {boolean} stopped the hub looked at very many tasks and has not filled the last page
 * @property {number} newer tasks that belong above the first row
 */

/** @type {State} */
const NOTHING = { pages: [], start: 0, total: null, problem: null, isLoading: true, stopped: false, newer: 0 };

export class TaskList {
  constructor() {
    /** @type {import('@preact/signals').Signal<State>} */
    this.state = signal(NOTHING);
    this.question = { q: '', sort: '-created' };
    /** Grows with every question, so that late answers are known as such. */
    this.turn = 0;
    this.isFetching = false;
  }

  get rows() {
    return this.state.value.pages.flatMap((page) => page.rows);
  }

  /** Places that the list has, as far as is known. */
  get length() {
    const { pages, start, total } = this.state.value;
    const loaded = start + pages.reduce((sum, page) => sum + page.rows.length, 0);
    const last = pages.at(-1);
    if (pages.length > 0 && !last?.next) return loaded;
    return Math.max(loaded + (last?.next ? 1 : 0), this.canJump ? (total?.count ?? 0) : 0);
  }

  get canJump() {
    return this.question.sort.endsWith('created');
  }

  /**
   * @param {string} q
   * @param {string} sort
   */
  async open(q, sort) {
    const isSame = this.question.q === q && this.question.sort === sort;
    this.question = { q, sort };
    if (!isSame) this.state.value = NOTHING;
    await this.#begin({ total: '1' }, () => 0);
  }

  /**
   * To the row at a place that is not here.
   * @param {number} place
   */
  async jump(place) {
    const { total } = this.state.peek();
    if (!total || !this.canJump) return;
    const fromEnd = total.count - place;
    if (fromEnd <= PAGE) await this.#begin({ page: 'before' }, (page) => total.count - page.rows.length);
    else await this.#begin({ seek: String(Math.max(0, place) / total.count) }, () => place);
  }

  /**
   * To the newest task of a time.
   * @param {number} at Unix ms
   */
  async jumpTo(at) {
    const { total } = this.state.peek();
    await this.#begin({ at: String(at) }, (page) => (page.previous === null ? 0 : Math.floor((total?.count ?? 0) / 2)));
  }

  /**
   * Another run of rows instead of the present one.
   * @param {Record<string, string>} wanted
   * @param {(page: Page) => number} placeOf
   */
  async #begin(wanted, placeOf) {
    const turn = ++this.turn;
    try {
      const { page, answer } = await this.#ask(wanted);
      if (turn !== this.turn) return;
      const before = this.state.peek();
      const start = page.previous === null ? 0 : placeOf(page);
      const total = answer.total ?? before.total;
      this.state.value = { ...NOTHING, pages: [page], start, total, isLoading: false, stopped: answer.stopped };
    } catch (error) {
      if (turn === this.turn) this.#failed(error);
    }
  }

  /** @param {'next' | 'previous'} way */
  async more(way) {
    const { pages } = this.state.peek();
    const cursor = way === 'next' ? pages.at(-1)?.next : pages[0]?.previous;
    if (!cursor || this.isFetching) return;
    const turn = this.turn;
    this.isFetching = true;
    try {
      const { page, answer } = await this.#ask(way === 'next' ? { cursor } : { cursor, page: 'before' });
      if (turn === this.turn) this.#add(page, way, answer.stopped);
    } catch (error) {
      if (turn === this.turn) this.#failed(error);
    } finally {
      this.isFetching = false;
    }
  }

  /**
   * @param {Page} page
   * @param {'next' | 'previous'} way
   * @param {boolean} stopped
   */
  #add(page, way, stopped) {
    const now = this.state.peek();
    let pages = way === 'next' ? [...now.pages, page] : [page, ...now.pages];
    let start = way === 'next' ? now.start : now.start - page.rows.length;
    const count = () => pages.reduce((sum, one) => sum + one.rows.length, 0);
    while (count() > ROWS_MAX && pages.length > 1) {
      if (way === 'next') start += pages[0]?.rows.length ?? 0;
      pages = way === 'next' ? pages.slice(1) : pages.slice(0, -1);
    }
    if (pages[0]?.previous === null || start < 0) start = 0;
    this.state.value = { ...now, pages, start, stopped: way === 'next' ? stopped : now.stopped, problem: null };
  }

  /**
   * Ask again for what is on the screen: rows change in their places, and what came meanwhile is counted.
   * @param {number} first
   * @param {number} last places that are seen
   */
  async refresh(first, last) {
    if (this.isFetching || this.state.peek().pages.length === 0) return;
    const turn = this.turn;
    this.isFetching = true;
    try {
      let at = this.state.peek().start;
      for (const page of this.state.peek().pages) {
        const isSeen = at <= last && at + page.rows.length > first;
        at += page.rows.length;
        if (!isSeen) continue;
        const fresh = await this.#ask(page.asked);
        if (turn !== this.turn) return;
        this.#renew(page, fresh.page, fresh.answer.total);
      }
    } catch (error) {
      if (turn === this.turn && this.state.peek().pages.length === 0) this.#failed(error);
    } finally {
      this.isFetching = false;
    }
  }

  /**
   * @param {Page} old
   * @param {Page} fresh
   * @param {State['total']} [total]
   */
  #renew(old, fresh, total) {
    const now = this.state.peek();
    if (!now.pages.includes(old)) return;
    const byId = new Map(fresh.rows.map((row) => [row.id, row]));
    const known = new Set(old.rows.map((row) => row.id));
    const isTop = now.start === 0 && now.pages[0] === old;
    const first = fresh.rows.findIndex((row) => known.has(row.id));
    const newer = !isTop ? now.newer : first < 0 ? fresh.rows.length : first;
    const pushedOut = old.rows.length - (isTop ? newer : 0);
    const rows = old.rows.map((row, place) => byId.get(row.id) ?? { ...row, isGone: row.isGone || place < pushedOut });
    const pages = now.pages.map((page) => (page === old ? { ...old, rows } : page));
    this.state.value = { ...now, pages, newer, total: total ?? now.total, problem: null };
  }

  /** @param {Record<string, string>} wanted */
  async #ask(wanted) {
    const words = new URLSearchParams({ ...this.question, limit: String(PAGE), ...wanted });
    const answer = await get(`/api/dashboard/tasks?${words}`);
    /** @type {Page} */
    const page = { asked: wanted, rows: answer.tasks, previous: answer.previous_cursor, next: answer.next_cursor };
    return { page, answer };
  }

  /** @param {unknown} error */
  #failed(error) {
    const problem = error instanceof Problem ? error : new Problem(0, 'failed', String(error));
    const now = this.state.peek();
    this.state.value = problem.status === 422 ? { ...NOTHING, problem, isLoading: false } : { ...now, problem, isLoading: false };
  }

  /** Count to the end. */
  async countExactly() {
    const turn = this.turn;
    const words = new URLSearchParams({ q: this.question.q, exact: '1' });
    const total = await get(`/api/dashboard/tasks/count?${words}`, { timeoutMs: 40000 });
    if (turn === this.turn) this.state.value = { ...this.state.peek(), total };
  }
}
