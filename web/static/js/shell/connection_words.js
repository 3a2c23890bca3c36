// @ts-check
/** What the connection is called: a word for the chip, a sentence for the banner (empty when there is nothing to say). */

import { snapshot } from '../store/hub.js';
import { inHubTime, wall } from '../ui/clock.js';
import { clockTime } from '../ui/time.js';

const CONNECTING_PATIENCE_MS = 2000;

/** @typedef {{symbol: string, tone: string, chip: string, banner: string, canTry: boolean}} Words */

/**
 * @param {import('../net/socket.js').Connection} connection
 * @returns {Words}
 */
export function wordsFor(connection) {
  const at = clockTime(inHubTime(connection.lostAt ?? connection.since));
  const then = snapshot.value !== null ? ' Showing data from then.' : '';
  switch (connection.phase) {
    case 'live':
      return { symbol: 'live', tone: 'ok', chip: 'Live', banner: '', canTry: false };
    case 'asleep':
      return { symbol: 'wait', tone: 'idle', chip: 'Asleep', banner: '', canTry: false };
    case 'connecting': {
      const isSlow = wall.value - connection.since > CONNECTING_PATIENCE_MS;
      return { symbol: 'wait', tone: 'idle', chip: 'Connecting', banner: isSlow ? 'Still connecting to the hub.' : '', canTry: false };
    }
    case 'away':
      return {
        ...{ symbol: 'warning', tone: 'warning', chip: 'Hub away', canTry: false },
        banner: `The hub does not answer since ${at}.${then} The page goes on by itself when it is back.`,
      };
    case 'stale':
      return { symbol: 'warning', tone: 'warning', chip: 'Stale', banner: `Nothing was heard from the hub for 45 s.${then}`, canTry: false };
    case 'disconnected': {
      const seconds = connection.retryAt === null ? 0 : Math.max(0, Math.ceil((connection.retryAt - wall.value) / 1000));
      const lost = connection.lostAt === null ? `No connection to the hub since ${at}.` : `Connection lost at ${at}.`;
      const next = seconds === 0 ? 'Trying now.' : `Next try in ${seconds} s.`;
      return { symbol: 'offline', tone: 'critical', chip: 'Disconnected', banner: `${lost}${then} ${next}`, canTry: seconds > 0 };
    }
  }
}
