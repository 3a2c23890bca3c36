// @ts-check
/** How the hub is: shape, word and number. Opens the list of what is not well. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { Conditions } from '../panels/conditions.js';
import { conditions, severity, snapshot, unacknowledged } from '../store/hub.js';
import { SEVERITIES } from '../ui/chip.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText } from '../ui/text.js';
import { announce } from '../ui/toast.js';
import { place } from '../router.js';

const UNKNOWN = { tone: 'idle', symbol: 'unknown', word: 'Unknown' };

export function HealthPill() {
  const [isOpen, setOpen] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const look = SEVERITIES.get(severity.value) ?? UNKNOWN;
  const many = unacknowledged.value.length;
  const isSeen = many === 0 && conditions.value.length > 0;
  useSpokenHealth(look.word);
  useEffect(() => setOpen(false), [place.value]);
  useClosing(isOpen, box, () => setOpen(false));
  return html`
    <div class="health" ref=${box}>
      <button
        type="button"
        class=${`pill tone-${isSeen ? 'muted' : look.tone}`}
        aria-expanded=${String(isOpen)}
        aria-controls="health-list"
        data-testid="health-pill"
        data-status=${severity.value}
        onClick=${() => setOpen(!isOpen)}
      >
        <${Icon} name=${look.symbol} /><span class="unseen">Health: </span><span>${many > 0 ? `${look.word} ${many}` : `${look.word}${isSeen ? ', seen' : ''}`}</span>
      </button>
      <div id="health-list" class="health-list" hidden=${!isOpen}>${isOpen && html`<${Conditions} />`}</div>
    </div>
  `;
}

/** @param {string} word */
function useSpokenHealth(word) {
  const said = useRef('');
  const isKnown = snapshot.value !== null;
  useEffect(() => {
    if (!isKnown) return;
    const sentences = conditions.peek().map((one) => foreignText(one.message)).join('. ');
    if (said.current && said.current !== word) announce(`Health: ${word}. ${sentences}`);
    said.current = word;
  }, [word, isKnown]);
}

/**
 * Escape, and a press elsewhere, close it.
 * @param {boolean} isOpen
 * @param {{current: HTMLElement | null}} box
 * @param {() => void} close
 */
function useClosing(isOpen, box, close) {
  useEffect(() => {
    if (!isOpen) return;
    const pressed = (/** @type {PointerEvent} */ event) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) close();
    };
    const typed = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return;
      close();
      box.current?.querySelector('button')?.focus();
    };
    document.addEventListener('pointerdown', pressed);
    document.addEventListener('keydown', typed);
    return () => {
      document.removeEventListener('pointerdown', pressed);
      document.removeEventListener('keydown', typed);
    };
  }, [isOpen]);
}
