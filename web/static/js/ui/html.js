// @ts-check
/** The one door to the template language: `html` makes Preact's nodes out of a template, with no build step and no `innerHTML`. */

import htm from 'htm';
import { h } from 'preact';
import '@preact/signals'; // a component that reads a signal is drawn again when it changes

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

/**
 * What a component gives back, or takes as `children`.
 * @typedef {import('preact').ComponentChildren} Children
 */
