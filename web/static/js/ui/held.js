// @ts-check
/**
 * A list that does not move under the reader. While the pointer, the focus or a selected text is inside, or it is scrolled, rows
 * that are shown are kept up to date in their places, and new ones wait behind an "N new" button; when the reader leaves, or
 * presses the button, the list becomes what it should be.
 */

import { useEffect, useReducer, useRef } from 'preact/hooks';
import { html } from './html.js';
import { count } from './text.js';

/**
 * @template T
 * @typedef {object} Held
 * @property {{key: string, item: T, isGone: boolean}[]} rows what to show; `isGone`: no longer wanted, kept as long as the list is held
 * @property {number} newer how many wait
 * @property {() => void} release show them now
 * @property {{current: HTMLElement | null}} region to be the `ref` of the scrolling element
 * @property {object} watching attributes of that element
 */

/**
 * @template T
 * @param {readonly T[]} items what the list should show, in order
 * @param {(item: T) => string} keyOf
 * @param {unknown} [view] another value (a filter, an order, a page) is another list, which is shown at once
 * @returns {Held<T>}
 */
export function useHeld(items, keyOf, view) {
  const region = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useRef(/** @type {{key: string, item: T}[]} */ ([]));
  const reader = useRef({ pointer: false, focus: false, byPointer: false, view });
  const [, again] = useReducer((/** @type {number} */ n) => n + 1, 0);
  useEffect(() => {
    const settle = () => again(0);
    document.addEventListener('selectionchange', settle);
    return () => document.removeEventListener('selectionchange', settle);
  }, []);

  const isSame = reader.current.view === view;
  reader.current.view = view;
  const isHeld = isSame && shown.current.length > 0 && isRead(reader.current, region.current);
  const wanted = new Map(items.map((item) => [keyOf(item), item]));
  const rows = isHeld
    ? shown.current.map(({ key, item }) => ({ key, item: wanted.get(key) ?? item, isGone: !wanted.has(key) }))
    : [...wanted].map(([key, item]) => ({ key, item, isGone: false }));
  shown.current = rows;
  const here = new Set(rows.map(({ key }) => key));
  const newer = isHeld ? [...wanted.keys()].filter((key) => !here.has(key)).length : 0;

  const release = () => {
    shown.current = [];
    region.current?.scrollTo({ top: 0 });
    region.current?.focus({ preventScroll: true });
    again(0);
  };
  return { rows, newer, release, region, watching: watching(reader.current, region, () => again(0)) };
}

/**
 * @param {{pointer: boolean, focus: boolean}} reader
 * @param {HTMLElement | null} region
 */
function isRead(reader, region) {
  if (reader.pointer || reader.focus) return true;
  if (region === null) return false;
  const selection = document.getSelection();
  return region.scrollTop > 0 || (selection !== null && !selection.isCollapsed && region.contains(selection.anchorNode));
}

/**
 * A focus that came with the pointer goes with it: who clicked and went away is no longer reading.
 * @param {{pointer: boolean, focus: boolean, byPointer: boolean}} reader
 * @param {{current: HTMLElement | null}} region
 * @param {() => void} settle
 */
function watching(reader, region, settle) {
  return {
    onPointerEnter: (/** @type {PointerEvent} */ event) => {
      reader.pointer = event.pointerType !== 'touch';
    },
    onPointerLeave: () => {
      reader.pointer = false;
      if (reader.byPointer) reader.focus = false;
      settle();
    },
    onPointerDown: () => {
      reader.byPointer = true;
    },
    onFocusIn: () => {
      reader.focus = true;
    },
    onKeyDown: () => {
      reader.byPointer = false;
      reader.focus = true;
    },
    onFocusOut: (/** @type {FocusEvent} */ event) => {
      if (event.relatedTarget instanceof Node && region.current?.contains(event.relatedTarget)) return;
      reader.focus = false;
      reader.byPointer = false;
      settle();
    },
    onScroll: settle,
  };
}

/** @param {{held: Held<any>, noun: string}} props `noun`: what the rows are, for the name of the button */
export function Newer({ held, noun }) {
  if (held.newer === 0) return null;
  const name = `${count(held.newer)} new ${noun}, show`;
  return html`<button type="button" class="newer" data-testid="newer" aria-label=${name} onClick=${held.release}>${count(held.newer)} new</button>`;
}
