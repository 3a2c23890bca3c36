// @ts-check
/** Asks the hub again and again while somebody looks, and says so on the page when there is no answer. */

import { byId, el, setText } from '../ui/dom.js';

const TIMEOUT_MS = 4000;

/**
 * @typedef {object} Options
 * @property {() => string} path what is asked for now
 * @property {number} periodMs
 * @property {(answer: any) => void} draw
 * @property {(status: number, answer: any) => boolean} [refused] told of any other status; true: it has been shown
 */

/**
 * @param {Options} options
 * @returns {{now: () => void}} `now` asks at once, for what `path` says then
 */
export function poll({ path, periodMs, draw, refused }) {
  const chip = el('span', { class: 'chip', 'data-testid': 'poll-connection' }, 'Connecting…');
  byId('connection').append(chip);
  /** @type {number | undefined} */
  let timer;
  let asked = 0;
  document.addEventListener('visibilitychange', () => void look());
  void look();
  return { now: () => void look() };

  async function look() {
    clearTimeout(timer);
    const mine = ++asked;
    if (document.hidden) {
      setText(chip, 'Paused');
      return;
    }
    try {
      const answer = await fetch(path(), { signal: AbortSignal.timeout(TIMEOUT_MS), cache: 'no-store' });
      const body = await answer.json().catch(() => null);
      if (mine !== asked) return; // something else was asked meanwhile
      if (answer.ok) live(body);
      else if (refused?.(answer.status, body)) mark('Live', 'live');
      else stale(answer.status === 503 ? 'The hub is restarting' : `The hub answered ${answer.status}`);
    } catch {
      if (mine !== asked) return;
      stale('No connection');
    }
    timer = setTimeout(() => void look(), periodMs);
  }

  /** @param {any} body */
  function live(body) {
    mark('Live', 'live');
    draw(body);
  }

  /** @param {string} why */
  function stale(why) {
    mark(`${why}. What is below is from before.`, 'stale');
  }

  /**
   * @param {string} words
   * @param {'live' | 'stale'} state
   */
  function mark(words, state) {
    byId('content').classList.toggle('is-stale', state === 'stale');
    setText(chip, words);
    chip.dataset.state = state;
  }
}
