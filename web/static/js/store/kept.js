// @ts-check
/** Choices that this browser keeps. Storage can be switched off; then a choice lasts as long as the page. */

import { effect, signal } from '@preact/signals';

/**
 * A signal whose value survives a reload.
 * @template T
 * @param {string} key
 * @param {T} otherwise the value when nothing is kept
 * @param {(value: unknown) => boolean} [isValid] what is kept may be of another version of the page
 * @returns {import('@preact/signals').Signal<T>}
 */
export function kept(key, otherwise, isValid = (value) => typeof value === typeof otherwise) {
  const one = signal(read(key, otherwise, isValid));
  let first = true;
  effect(() => {
    const value = one.value;
    if (!first) write(key, value);
    first = false;
  });
  return one;
}

/**
 * @template T
 * @param {string} key
 * @param {T} otherwise
 * @param {(value: unknown) => boolean} isValid
 * @returns {T}
 */
function read(key, otherwise, isValid) {
  try {
    const value = JSON.parse(localStorage.getItem(key) ?? 'null');
    return value !== null && isValid(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * @param {string} key
 * @param {unknown} value
 */
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // full or forbidden: as above
  }
}
