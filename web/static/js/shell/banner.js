// @ts-check
/** Says since when the page is not live, and for a moment that it is back. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { slowness } from '../net/pulse.js';
import { boots, connection, isLive, seq, tryNow } from '../store/hub.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { count } from '../ui/text.js';
import { duration, roughly } from '../ui/time.js';
import { announce } from '../ui/toast.js';
import { wordsFor } from './connection_words.js';
import { isOutdated } from './update.js';

const BACK_SHOWN_MS = 5000;

export function Banner() {
  const words = wordsFor(connection.value);
  const back = useBack();
  useSpoken(words.banner);
  const slow = isLive.value ? slowness.value : 0;
  return html`
    ${isOutdated.value && html`<${Outdated} />`}
    ${words.banner
      ? html`<${Line} symbol=${words.symbol} tone=${words.tone} text=${words.banner}>${words.canTry && html`<button type="button" data-testid="try-now" onClick=${tryNow}>Try now</button>`}<//>`
      : back
        ? html`<${Line} symbol="ok" tone="ok" text=${back} />`
        : slow > 0 && html`<${Line} symbol="limited" tone="warning" text=${`The hub is answering slowly (p95 ${duration(slow)}). The page asks less often.`} />`}
  `;
}

/** @param {{symbol: string, tone: string, text: string, children?: import('../ui/html.js').Children}} props */
function Line({ symbol, tone, text, children }) {
  return html`<div class=${`banner tone-${tone}`} data-testid="banner"><${Icon} name=${symbol} /><span class="words">${text}</span>${children}</div>`;
}

function Outdated() {
  return html`
    <div class="banner tone-info" data-testid="outdated">
      <${Icon} name="retry" /><span class="words">The hub was updated. This page is of the version before.</span>
      <button type="button" onClick=${() => location.reload()}>Reload</button>
    </div>
  `;
}

/** @returns {string} "Back after 37 s, 214 changes applied." for five seconds after a loss */
function useBack() {
  const [back, setBack] = useState('');
  const lost = useRef(/** @type {{at: number, seq: number, boot: number} | null} */ (null));
  const { phase } = connection.value;
  useEffect(() => {
    if (phase === 'live' && lost.current !== null) {
      const text = backAfter(Date.now() - lost.current.at, boots.peek() > lost.current.boot ? null : seq.peek() - lost.current.seq);
      lost.current = null;
      setBack(text);
      announce(text);
    } else if ((phase === 'disconnected' || phase === 'away' || phase === 'stale') && lost.current === null) {
      lost.current = { at: Date.now(), seq: seq.peek(), boot: boots.peek() };
    }
  }, [phase]);
  useEffect(() => {
    if (back === '') return;
    const timer = setTimeout(() => setBack(''), BACK_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [back]);
  return back;
}

/**
 * @param {number} ms
 * @param {number | null} changes null: not to be known, as the hub was restarted
 */
function backAfter(ms, changes) {
  const applied = changes === null || changes <= 0 ? 'All numbers are live again.' : `${count(changes)} changes applied.`;
  return `Back after ${ms < 1000 ? 'a moment' : roughly(ms)}. ${applied}`;
}

/**
 * The begin of a loss is spoken, its counting down is not.
 * @param {string} sentence
 */
function useSpoken(sentence) {
  const isSaying = sentence !== '';
  const { phase } = connection.value;
  useEffect(() => {
    if (isSaying) announce(sentence);
  }, [phase, isSaying]);
}
