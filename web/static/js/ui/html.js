// @ts-check
/** The one door to the template language: `html` makes Preact's nodes out of a template, with no build step and no `innerHTML`. */

import htm from 'htm';
import { h } from 'preact';
import '@preact/signals'; // a component that reads a signal is drawn again when it changes

/** For `htm`: the node may differ the next time. */
const IS_DYNAMIC = 3;

/**
 * Parts of a template in which nothing changes `htm` would keep and give out again, and each knows its parents: one such part would hold
 * the whole page on which it was seen last, long after that is gone.
 * @this {number[]} what `htm` thinks of the template
 * @param {any} type
 * @param {any} props
 * @param {any[]} children
 */
function node(type, props, ...children) {
  this[0] = IS_DYNAMIC;
  return h(type, props, ...children);
}

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (node));

/**
 * What a component gives back, or takes as `children`.
 * @typedef {import('preact').ComponentChildren} Children
 */
