// @ts-check
/**
 * A list of rows that does not move under the reader. While the pointer or the focus is inside, rows that are shown
 * are kept up to date in their places, and new ones wait behind an "N new" button; when the reader leaves, or presses
 * the button, the list becomes what it should be.
 */

import { count, el, setText } from './dom.js';

/**
 * @template T
 * @typedef {object} Row
 * @property {HTMLElement} node
 * @property {(item: T) => void} update
 */

/**
 * @template T
 * @typedef {object} Options
 * @property {HTMLElement} region where pointer and focus count as "inside"; gets the focus when a focused row goes
 * @property {HTMLElement} list the parent of the rows
 * @property {HTMLElement} head the panel's head, where the "N new" button goes
 * @property {HTMLElement} empty shown instead of the region when there is nothing to list
 * @property {string} noun what the rows are, for the button's accessible name: "3 new dead letters"
 * @property {(item: T) => string} key
 * @property {() => Row<T>} build
 * @property {boolean} [markGone] strike out rows whose item is no longer there, as long as they are held
 */

/** @template T */
export class HeldRows {
  /** @param {Options<T>} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, Row<T>>} */
    this.rows = new Map();
    /** @type {T[]} */
    this.wanted = [];
    this.known = false;
    this.pointerInside = false;
    this.focusInside = false;
    this.focusFromPointer = false;
    this.newer = el('button', { type: 'button', class: 'newer', hidden: true });
    this.newer.addEventListener('click', () => this.release());
    options.head.append(this.newer);
    this.watch();
  }

  /**
   * @param {T[]} items what the list should show, in order
   * @param {boolean} known false before the first snapshot, when "none" would be a guess
   */
  set(items, known) {
    this.wanted = items;
    this.known = known;
    if (this.held) this.hold();
    else this.apply();
  }

  get held() {
    return this.rows.size > 0 && (this.pointerInside || this.focusInside);
  }

  watch() {
    const { region } = this.options;
    region.addEventListener('pointerenter', (event) => {
      this.pointerInside = event.pointerType !== 'touch';
    });
    region.addEventListener('pointerleave', () => {
      this.pointerInside = false;
      if (this.focusFromPointer) this.focusInside = false;
      this.settle();
    });
    region.addEventListener('pointerdown', () => {
      this.focusFromPointer = true;
    });
    region.addEventListener('focusin', () => {
      this.focusInside = true;
    });
    region.addEventListener('keydown', () => {
      this.focusFromPointer = false;
      this.focusInside = true;
    });
    region.addEventListener('focusout', (event) => {
      if (event.relatedTarget instanceof Node && region.contains(event.relatedTarget)) return;
      this.focusInside = false;
      this.focusFromPointer = false;
      this.settle();
    });
  }

  settle() {
    if (!this.held) this.apply();
  }

  release() {
    this.apply();
    this.options.region.scrollTop = 0;
    this.options.region.focus({ preventScroll: true });
  }

  hold() {
    const here = new Set();
    let waiting = 0;
    for (const item of this.wanted) {
      const key = this.options.key(item);
      const row = this.rows.get(key);
      here.add(key);
      if (row) row.update(item);
      else waiting += 1;
    }
    for (const [key, row] of this.rows) this.mark(row, !here.has(key));
    this.offer(waiting);
  }

  apply() {
    const here = new Set(this.wanted.map(this.options.key));
    for (const [key, row] of this.rows) if (!here.has(key)) this.drop(key, row);
    let next = this.options.list.firstElementChild;
    for (const item of this.wanted) {
      const row = this.rowOf(item);
      row.update(item);
      this.mark(row, false);
      if (row.node === next) next = next.nextElementSibling;
      else this.options.list.insertBefore(row.node, next);
    }
    this.offer(0);
    this.options.region.hidden = this.rows.size === 0;
    this.options.empty.hidden = this.rows.size > 0 || !this.known;
  }

  /**
   * @param {T} item
   * @returns {Row<T>}
   */
  rowOf(item) {
    const key = this.options.key(item);
    const known = this.rows.get(key);
    if (known) return known;
    const row = this.options.build();
    this.rows.set(key, row);
    return row;
  }

  /**
   * @param {string} key
   * @param {Row<T>} row
   */
  drop(key, row) {
    this.rows.delete(key);
    if (row.node.contains(document.activeElement)) {
      // Before the removal, which would take the focus out of the list and so begin to settle it once more.
      this.options.region.focus({ preventScroll: true });
      this.focusInside = !this.focusFromPointer;
    }
    row.node.remove();
  }

  /**
   * @param {Row<T>} row
   * @param {boolean} gone
   */
  mark(row, gone) {
    if (this.options.markGone) row.node.classList.toggle('gone', gone);
  }

  /** @param {number} waiting */
  offer(waiting) {
    this.newer.hidden = waiting === 0;
    setText(this.newer, `${count(waiting)} new`);
    this.newer.setAttribute('aria-label', `${count(waiting)} new ${this.options.noun}, show`);
  }
}

/**
 * A scrolling region with a table in it.
 * @param {string} label accessible name of the region and the table
 * @param {{text: string, className: string, number?: boolean}[]} columns
 */
export function tableRegion(label, columns) {
  const cells = columns.map((column) =>
    el('th', { scope: 'col', role: 'columnheader', class: `${column.className}${column.number ? ' number' : ''}` }, column.text),
  );
  const list = el('tbody', { role: 'rowgroup' });
  const table = el(
    'table',
    { role: 'table', 'aria-label': label },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, ...cells)),
    list,
  );
  const region = el('div', { class: 'scroller', role: 'region', 'aria-label': label, tabindex: 0 }, table);
  return { region, list };
}

/**
 * A cell that says its column's name when the table is shown as cards.
 * @param {string} label
 * @param {import('./dom.js').Attributes} attributes
 * @param {...import('./dom.js').Child} children
 */
export function cell(label, attributes, ...children) {
  return el('td', { role: 'cell', 'data-label': label, ...attributes }, el('div', {}, ...children));
}

/**
 * The cell that names the row.
 * @param {string} label
 * @param {...import('./dom.js').Child} children
 */
export function headerCell(label, ...children) {
  return el('th', { role: 'rowheader', scope: 'row', 'data-label': label }, el('div', {}, ...children));
}
