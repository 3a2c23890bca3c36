// @ts-check
/** Whether what the page shows is live: the chip always says it, the banner says since when it is not. */

import { announce } from '../ui/toast.js';
import { el, setAttribute, setText } from '../ui/dom.js';
import { icon, setIcon } from '../ui/icons.js';
import { clockTime, onTick, roughly } from '../ui/time.js';

const CONNECTING_PATIENCE_MS = 2000;
const BACK_SHOWN_MS = 5000;

/**
 * @typedef {import('../net/socket.js').Connection} Connection
 * @typedef {{symbol: string, tone: string, chip: string, banner: string, canTry: boolean}} Words
 */

/**
 * @param {{chipSlot: HTMLElement, bannerSlot: HTMLElement, tryNow: () => void}} places
 * @returns {(state: import('../store.js').State) => void}
 */
export function connectionView({ chipSlot, bannerSlot, tryNow }) {
  const chipSymbol = icon('wait');
  const chipWords = el('span');
  const chip = el('span', { class: 'chip', 'data-testid': 'connection-chip' }, chipSymbol, chipWords);
  const bannerSymbol = icon('warning');
  const bannerWords = el('span', { class: 'words' });
  const button = el('button', { type: 'button', 'data-testid': 'try-now' }, 'Try now');
  const banner = el('div', { class: 'banner', 'data-testid': 'banner', hidden: true }, bannerSymbol, bannerWords, button);
  button.addEventListener('click', tryNow);
  chipSlot.append(chip);
  bannerSlot.append(banner);

  /** @type {Connection | null} */
  let connection = null;
  let hasData = false;
  let back = { text: '', until: 0 };

  const show = () => {
    if (!connection) return;
    const words = wordsFor(connection, hasData);
    setAttribute(chip, 'class', `chip tone-${words.tone}`);
    setAttribute(chip, 'data-phase', connection.phase);
    setIcon(chipSymbol, words.symbol);
    setText(chipWords, words.chip);
    const isBack = words.banner === '' && Date.now() < back.until;
    setAttribute(banner, 'class', `banner tone-${isBack ? 'ok' : words.tone}`);
    setIcon(bannerSymbol, isBack ? 'ok' : words.symbol);
    setText(bannerWords, isBack ? back.text : words.banner);
    const focused = document.activeElement === button;
    button.hidden = !words.canTry;
    banner.hidden = words.banner === '' && !isBack;
    if (focused && button.hidden) document.getElementById('content')?.focus({ preventScroll: true });
  };
  onTick(show);

  return (state) => {
    const before = connection;
    connection = state.connection;
    hasData = state.snapshot !== null;
    if (before && before.phase !== connection.phase) {
      if (connection.phase === 'live' && connection.lostAt !== null) {
        const away = Date.now() - connection.lostAt;
        back = { text: `Back after ${away < 1000 ? 'a moment' : roughly(away)}. All numbers are live again.`, until: Date.now() + BACK_SHOWN_MS };
        announce(back.text);
      } else if (connection.phase !== 'live') {
        announce(wordsFor(connection, hasData).banner);
      }
    }
    show();
  };
}

/**
 * @param {Connection} connection
 * @param {boolean} hasData
 * @returns {Words}
 */
function wordsFor(connection, hasData) {
  const at = clockTime(connection.lostAt ?? connection.since);
  const then = hasData ? ' Showing data from then.' : '';
  switch (connection.phase) {
    case 'live':
      return { symbol: 'live', tone: 'ok', chip: 'Live', banner: '', canTry: false };
    case 'connecting': {
      const slow = Date.now() - connection.since > CONNECTING_PATIENCE_MS;
      return { symbol: 'wait', tone: 'idle', chip: 'Connecting', banner: slow ? 'Still connecting to the hub.' : '', canTry: false };
    }
    case 'away':
      return { symbol: 'warning', tone: 'warning', chip: 'Hub away', banner: `The hub does not answer since ${at}.${then} The page goes on by itself when it is back.`, canTry: false };
    case 'stale':
      return { symbol: 'warning', tone: 'warning', chip: 'Stale', banner: `Nothing was heard from the hub for 45 s.${then}`, canTry: false };
    case 'disconnected': {
      const seconds = connection.retryAt === null ? 0 : Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000));
      const trying = seconds === 0;
      const lost = connection.lostAt === null ? 'No connection to the hub' : 'Connection lost';
      return {
        symbol: 'offline',
        tone: 'critical',
        chip: `Disconnected since ${at} · ${trying ? 'trying' : `${seconds} s`}`,
        banner: `${lost} ${connection.lostAt === null ? 'since' : 'at'} ${at}.${then} ${trying ? 'Trying now.' : `Next try in ${seconds} s.`}`,
        canTry: !trying,
      };
    }
  }
}
