// @ts-check
/**
 * The page's clock: one timer for everything that moves with time. `hubNow()` is this computer's clock corrected by what the hub
 * said; `now` ticks in it once a second and stands still while the page is paused, `wall` never stops.
 */

import { signal } from '@preact/signals';

/** A difference below this is travel time and timer grain, not a wrong clock. */
const CLOCK_TOLERANCE_MS = 1500;

let offset = 0;
let frozen = false;

/** Now, in the hub's Unix milliseconds. */
export function hubNow() {
  return inHubTime(Date.now());
}

/**
 * A time of this computer's clock in the hub's.
 * @param {number} at Unix milliseconds
 */
export function inHubTime(at) {
  return at + offset;
}

/** The hub's time as shown: what relative times are counted from. */
export const now = signal(hubNow());

/** This computer's Unix milliseconds, once a second. */
export const wall = signal(Date.now());

/** @param {number} timestamp the hub's time at this moment */
export function correctClock(timestamp) {
  const difference = timestamp - Date.now();
  if (Math.abs(difference - offset) <= CLOCK_TOLERANCE_MS) return;
  offset = difference;
  if (!frozen) now.value = hubNow(); // not a second later: a clock that is wrong by years shows
}

/** @param {boolean} stop */
export function freeze(stop) {
  frozen = stop;
  if (!stop) now.value = hubNow();
}

export function startTicking() {
  const tick = () => {
    wall.value = Date.now();
    if (!frozen) now.value = hubNow();
    setTimeout(tick, 1000 - (Date.now() % 1000) + 5);
  };
  tick();
}
