// @ts-check
/** A part of a page with a head. When it fails, it alone says so; the rest of the page goes on. */

import { useRef } from 'preact/hooks';
import { html } from './html.js';
import { Boundary } from './boundary.js';

let made = 0;

/**
 * @param {object} props
 * @param {string} props.title
 * @param {import('./html.js').Children} [props.aside] what stands in the head after the title: a count, a button
 * @param {string} [props.area] class `panel-AREA`
 * @param {boolean} [props.padded]
 * @param {import('./html.js').Children} [props.children]
 */
export function Panel({ title, aside, area, padded, children }) {
  const id = useRef(`panel-${++made}`);
  return html`
    <section class=${area ? `panel panel-${area}` : 'panel'} aria-labelledby=${id.current}>
      <header class="panel-head"><h2 id=${id.current}>${title}</h2>${aside}</header>
      <div class=${padded ? 'panel-body padded' : 'panel-body'}><${Boundary} what=${title}>${children}<//></div>
    </section>
  `;
}
