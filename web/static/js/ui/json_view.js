// @ts-check
/** A JSON value as a tree that opens where one looks. What is closed is not in the page, so its size costs nothing. */

import { useState } from 'preact/hooks';
import { html } from './html.js';
import { Exact } from '../net/lossless.js';
import { count, foreignText, plural } from './text.js';

const ITEMS_AT_ONCE = 100;
const TEXT_AT_ONCE = 400;

/** @param {{value: any, name: string}} props `name`: of the whole, for screen readers */
export function JsonView({ value, name }) {
  return html`<div class="json-view" role="group" aria-label=${name} tabindex="0"><${Node} value=${value} isOpen=${size(value) <= 20} /></div>`;
}

/** @param {{value: any, label?: string, isOpen?: boolean}} props */
function Node({ value, label, isOpen = false }) {
  const [open, setOpen] = useState(isOpen);
  const [items, setItems] = useState(ITEMS_AT_ONCE);
  if (value === null || typeof value !== 'object' || value instanceof Exact) return html`<${Leaf} value=${value} label=${label} />`;
  const entries = Object.entries(value);
  const isList = Array.isArray(value);
  if (entries.length === 0) return html`<div class="json-row"><${Label} label=${label} />${isList ? '[]' : '{}'}</div>`;
  const what = isList ? plural(entries.length, 'item') : plural(entries.length, 'field');
  return html`
    <div class="json-row">
      <button type="button" class="json-fold" aria-expanded=${open} onClick=${() => setOpen(!open)}>
        <${Label} label=${label} /><span>${isList ? '[' : '{'}</span><span class="quiet">${what}</span><span>${isList ? ']' : '}'}</span>
      </button>
    </div>
    ${open &&
    html`
      <div class="json-items">
        ${entries.slice(0, items).map(([key, item]) => html`<${Node} key=${key} value=${item} label=${isList ? undefined : key} />`)}
        ${entries.length > items &&
        html`<button type="button" class="plain" onClick=${() => setItems(items + ITEMS_AT_ONCE)}>Show ${count(Math.min(ITEMS_AT_ONCE, entries.length - items))} more of ${count(entries.length)}</button>`}
      </div>
    `}
  `;
}

/** @param {{label?: string}} props */
function Label({ label }) {
  return label === undefined ? null : html`<bdi class="json-key">${foreignText(label, 200)}</bdi><span class="quiet">: </span>`;
}

/** @param {{value: any, label?: string}} props */
function Leaf({ value, label }) {
  const [isWhole, setWhole] = useState(false);
  const text = typeof value === 'string' ? value : String(value);
  const isCut = text.length > TEXT_AT_ONCE && !isWhole;
  const kind = value === null ? 'null' : value instanceof Exact ? 'number' : typeof value;
  const shown = foreignText(text, isCut ? TEXT_AT_ONCE : text.length);
  return html`
    <div class="json-row">
      <${Label} label=${label} /><bdi class=${`json-${kind}`}>${kind === 'string' ? `"${shown}"` : shown}</bdi>
      ${isCut && html` <button type="button" class="plain" onClick=${() => setWhole(true)}>All ${count(text.length)} characters</button>`}
    </div>
  `;
}

/** @param {any} value */
function size(value) {
  return value !== null && typeof value === 'object' ? Object.keys(value).length : 0;
}
