// @ts-check
/** The states of a task and the way that this one took through them: how often each step was taken, and where it is now. */

import { html } from '../ui/html.js';
import { count } from '../ui/text.js';

/** @typedef {'queued' | 'working' | 'completed' | 'dead' | 'cancelled'} Place */

/** @type {Record<Place, {word: string, x: number, y: number}>} */
const PLACES = {
  queued: { word: 'Queued', x: 8, y: 58 },
  working: { word: 'Working', x: 208, y: 58 },
  completed: { word: 'Completed', x: 408, y: 8 },
  dead: { word: 'Dead letter', x: 408, y: 58 },
  cancelled: { word: 'Cancelled', x: 408, y: 108 },
};

const WIDTH = 110;
const HEIGHT = 28;

/**
 * x and y: where the number stands. A `rare` step is drawn only when it was taken.
 * @type {{from: Place, to: Place, d: string, x: number, y: number, rare?: boolean}[]}
 */
const STEPS = [
  { from: 'queued', to: 'working', d: 'M118 66 H206', x: 162, y: 61 },
  { from: 'working', to: 'queued', d: 'M208 78 H120', x: 162, y: 92 },
  { from: 'working', to: 'completed', d: 'M318 66 C366 66 360 22 406 22', x: 346, y: 34 },
  { from: 'working', to: 'dead', d: 'M318 72 H406', x: 376, y: 67 },
  { from: 'working', to: 'cancelled', d: 'M318 78 C366 78 360 122 406 122', x: 346, y: 118 },
  { from: 'queued', to: 'cancelled', d: 'M63 86 C63 146 280 142 406 128', x: 200, y: 148, rare: true },
  { from: 'queued', to: 'dead', d: 'M63 58 C63 2 330 22 406 64', x: 220, y: 22, rare: true },
  { from: 'dead', to: 'cancelled', d: 'M446 86 V106', x: 434, y: 101, rare: true },
  { from: 'cancelled', to: 'dead', d: 'M480 108 V88', x: 492, y: 101, rare: true },
  { from: 'dead', to: 'queued', d: 'M408 82 C330 140 110 150 80 88', x: 220, y: 138, rare: true },
];

/** @type {Record<string, Place>} */
const STATUS_PLACES = { queued: 'queued', assigned: 'working', completed: 'completed', dead_letter: 'dead', cancelled: 'cancelled' };

/** @type {Record<string, Place>} */
const EVENT_PLACES = { queued: 'queued', assigned: 'working', completed: 'completed', retry: 'queued', reclaimed: 'queued', dead_letter: 'dead', cancelled: 'cancelled', discarded: 'cancelled', recovered: 'dead' };

/** @param {{status: string, history: {event: string}[]}} props `history`: newest first, and cut */
export function TaskPath({ status, history }) {
  const taken = stepsOf(history);
  const at = STATUS_PLACES[status] ?? 'queued';
  const visited = new Set([at, ...history.map(({ event }) => EVENT_PLACES[event])]);
  const steps = STEPS.filter(({ from, to }) => taken.has(`${from} ${to}`));
  const drawn = STEPS.filter(({ from, to, rare }) => !rare || taken.has(`${from} ${to}`));
  return html`
    <svg class="path" viewBox="0 0 526 156" role="img" aria-label=${sentence(steps, taken, at)} data-testid="path" data-at=${at}>
      <defs>
        <marker id="path-end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="path-arrow" /></marker>
        <marker id="path-end-taken" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="path-arrow-taken" /></marker>
      </defs>
      ${drawn.map(({ from, to, d }) => {
        const isTaken = taken.has(`${from} ${to}`);
        return html`<path key=${d} d=${d} class=${isTaken ? 'path-step path-taken' : 'path-step'} marker-end=${isTaken ? 'url(#path-end-taken)' : 'url(#path-end)'} />`;
      })}
      ${steps.map(({ from, to, x, y }) => html`<text key=${`${from} ${to}`} x=${x} y=${y} class="path-count">${count(taken.get(`${from} ${to}`))}×</text>`)}
      ${Object.entries(PLACES).map(
        ([place, { word, x, y }]) => html`
          <g key=${place} class=${`path-place ${place === at ? 'path-here' : visited.has(/** @type {Place} */ (place)) ? 'path-visited' : ''}`}>
            <rect x=${x} y=${y} width=${WIDTH} height=${HEIGHT} rx="6" /><text x=${x + WIDTH / 2} y=${y + 18}>${word}</text>
          </g>
        `,
      )}
    </svg>
  `;
}

/**
 * How often each step was taken.
 * @param {{event: string}[]} history newest first
 * @returns {Map<string, number>} by "from to"
 */
function stepsOf(history) {
  const taken = new Map();
  /** @type {Place | undefined} */
  let before;
  for (const { event } of [...history].reverse()) {
    const to = EVENT_PLACES[event];
    if (before && to && before !== to) taken.set(`${before} ${to}`, (taken.get(`${before} ${to}`) ?? 0) + 1);
    before = to ?? before;
  }
  return taken;
}

/**
 * @param {{from: Place, to: Place}[]} steps
 * @param {Map<string, number>} taken
 * @param {Place} at
 */
function sentence(steps, taken, at) {
  const words = steps.map(({ from, to }) => `${PLACES[from].word} to ${PLACES[to].word} ${taken.get(`${from} ${to}`)} times`);
  return `It is ${PLACES[at].word}. ${words.length > 0 ? `Steps taken: ${words.join(', ')}.` : ''}`;
}
