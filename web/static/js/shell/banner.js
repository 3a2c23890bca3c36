// @ts-check
/** Says since when the page is not live, and for a moment that it is back. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { boots, connection, seq, tryNow } from '../store/hub.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { count } from '../ui/text.js';
import { roughly } from '../ui/time.js';
import { announce } from '../ui/toast.js';
import { wordsFor } from './connection_words.js';

const BACK_SHOWN_MS = 5000;

export function Banner() {
  const words = wordsFor(connection.value);
  const back = useBack();
  useSpoken(words.banner);
  if (words.banner === '' && back === '') return null;
  const [symbol, tone, text] = words.banner ? [words.symbol, words.tone, words.banner] : ['ok', 'ok', back];
  return html`
    <div class=${`banner tone-${tone}`} data-testid="banner">
      <${Icon} name=${symbol} /><span class="words">${text}</span>
      ${words.canTry && html`<button type="button" data-testid="try-now" onClick=${tryNow}>Try now</button>`}
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
