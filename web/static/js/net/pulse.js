// @ts-check
/** How soon the hub answers this page. When it is slow, the page asks less often and says so. */

import { computed, signal } from '@preact/signals';

const KEPT = 20;
const FEWEST = 10;
const SLOW_MS = 1500;

/** One slow answer among quick ones is no news. */
const SLOW_MEDIAN_MS = 500;

/** @type {import('@preact/signals').Signal<number[]>} milliseconds of the last answers */
const waits = signal([]);

/** @param {number} ms from the question to its answer */
export function heard(ms) {
  waits.value = [...waits.peek(), ms].slice(-KEPT);
}

/** What 95 of 100 answers needed at most, in milliseconds, when that is slow; 0 while it is not. */
export const slowness = computed(() => {
  const sorted = [...waits.value].sort((a, b) => a - b);
  if (sorted.length < FEWEST) return 0;
  const p95 = sorted[Math.floor((sorted.length - 1) * 0.95)] ?? 0;
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return p95 > SLOW_MS && median > SLOW_MEDIAN_MS ? p95 : 0;
});
