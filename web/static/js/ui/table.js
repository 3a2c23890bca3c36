// @ts-check
/** A scrolling table that becomes cards on a phone. Its rows are held (`held.js`), its columns may be sorted by a button. */

import { html } from './html.js';
import { Icon } from './icons.js';

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} text
 * @property {boolean} [number] aligned to the end
 * @property {boolean} [sortable]
 *
 * @typedef {{by: string, isDown: boolean}} Order
 */

/**
 * @template T
 * @param {object} props
 * @param {string} props.name for the style sheet: the widths of its columns are those of `.table-NAME .col-ID`
 * @param {string} props.label accessible name
 * @param {Column[]} props.columns the first one names the row
 * @param {import('./held.js').Held<T>} props.held
 * @param {(item: T, isGone: boolean) => {attributes?: object, cells: import('./html.js').Children[]}} props.row a cell for each column
 * @param {Order} [props.order]
 * @param {(order: Order) => void} [props.onOrder]
 */
export function Table({ name, label, columns, held, row, order, onOrder }) {
  return html`
    <div class="scroller" role="region" aria-label=${label} tabindex="0" ref=${held.region} ...${held.watching}>
      <table role="table" class=${`table-${name}`} aria-label=${label}>
        <thead role="rowgroup">
          <tr role="row">${columns.map((column) => html`<${Head} key=${column.id} column=${column} order=${order} onOrder=${onOrder} />`)}</tr>
        </thead>
        <tbody role="rowgroup">
          ${held.rows.map(({ key, item, isGone }) => {
            const { attributes, cells } = row(item, isGone);
            return html`<tr key=${key} role="row" class=${isGone ? 'gone' : ''} ...${attributes}>${cells.map((cell, at) => cellOf(columns[at], at, cell))}</tr>`;
          })}
        </tbody>
      </table>
    </div>
  `;
}

/**
 * @param {Column | undefined} column
 * @param {number} at
 * @param {import('./html.js').Children} content
 */
function cellOf(column, at, content) {
  const look = { 'data-label': column?.text, class: column?.number ? 'number' : '' };
  return at === 0
    ? html`<th role="rowheader" scope="row" ...${look}><div>${content}</div></th>`
    : html`<td role="cell" ...${look}><div>${content}</div></td>`;
}

/** @param {{column: Column, order?: Order, onOrder?: (order: Order) => void}} props */
function Head({ column, order, onOrder }) {
  const look = `col-${column.id}${column.number ? ' number' : ''}`;
  if (!column.sortable || !onOrder) return html`<th scope="col" role="columnheader" class=${look}>${column.text}</th>`;
  const isOrdered = order?.by === column.id;
  const direction = order?.isDown ? 'descending' : 'ascending';
  const turn = () => onOrder({ by: column.id, isDown: isOrdered ? !order?.isDown : Boolean(column.number) });
  return html`
    <th scope="col" role="columnheader" class=${look} aria-sort=${isOrdered ? direction : 'none'}>
      <button type="button" class="sort" onClick=${turn}>${column.text}${isOrdered && html`<${Icon} name=${order?.isDown ? 'down' : 'up'} />`}</button>
    </th>
  `;
}
