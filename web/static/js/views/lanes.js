// @ts-check
/** How many tasks wait in each lane. The bars compare the lanes with each other; the numbers are the counts. */

import { el, count, setText } from '../ui/dom.js';
import { icon } from '../ui/icons.js';

const LANES = ['Urgent', 'High', 'Normal', 'Low'];

/**
 * @param {HTMLElement} slot
 * @returns {(state: import('../store.js').State) => void}
 */
export function lanesView(slot) {
  const list = el('ul', { class: 'lanes' });
  const rows = LANES.map((word, lane) => {
    const fill = el('span', { class: 'lane-fill' });
    const number = el('span', { class: 'live-number' }, '–');
    list.append(
      el(
        'li',
        { class: 'lane', 'data-testid': `lane-${lane}` },
        el('a', { class: 'lane-name', href: `/tasks?status=queued&priority=${word.toLowerCase()}` }, icon(`lane-${lane}`), el('span', {}, word)),
        el('span', { class: 'lane-bar', 'aria-hidden': 'true' }, fill),
        el('span', { class: 'lane-count' }, number),
      ),
    );
    return { fill, number };
  });
  slot.append(list);

  return ({ snapshot }) => {
    if (!snapshot) return;
    const counts = LANES.map((_, lane) => Number(snapshot.queue?.by_priority?.[lane] ?? 0));
    const most = Math.max(1, ...counts);
    rows.forEach(({ fill, number }, lane) => {
      const waiting = counts[lane] ?? 0;
      setText(number, count(waiting));
      fill.style.setProperty('--share', waiting === 0 ? '0%' : `${Math.max(2, (100 * waiting) / most)}%`);
    });
  };
}
