// @ts-check
/** Looking after a group of dead letters for a while: for how long and why; then who does, until when, and its end. */

import { useState } from 'preact/hooks';
import { post, reasonOf } from '../net/api.js';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';
import { count, foreignText } from '../ui/text.js';
import { absolute } from '../ui/time.js';
import { toast } from '../ui/toast.js';

/** @typedef {import('../store/operations.js').Group} Group */

/** @type {[number, string][]} */
const TIMES = [
  [3600, 'an hour'],
  [8 * 3600, 'eight hours'],
  [86400, 'a day'],
  [7 * 86400, 'a week'],
];

/** @param {{group: Group, onClose: () => void, onDone: () => void}} props */
export function MuteDialog({ group, onClose, onDone }) {
  const [seconds, setSeconds] = useState(8 * 3600);
  const [note, setNote] = useState('');
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await said(group, 'mute', { for_s: seconds, note: note.trim() || null })) {
      onDone();
      onClose();
    }
  };
  return html`
    <${Dialog} title="Mute a cause" onClose=${onClose} testid="mute-dialog">
      <form class="stack" onSubmit=${submit}>
        <p><bdi class="error-text">${foreignText(group.shape, 200)}</bdi></p>
        <p>It asks nobody for attention until the time is over, or until it has ${count(Math.max(2 * group.count, group.count + 10))} tasks. The tasks stay where they are.</p>
        <label class="stack">For<select value=${seconds} onChange=${(/** @type {any} */ event) => setSeconds(Number(event.target.value))}>
          ${TIMES.map(([value, words]) => html`<option key=${value} value=${value}>${words}</option>`)}
        </select></label>
        <label class="stack">Note<input type="text" maxlength="500" autocomplete="off" value=${note} onInput=${(/** @type {any} */ event) => setNote(event.target.value)} /></label>
        <div class="dialog-actions">
          <button type="button" onClick=${onClose}>Leave it</button>
          <button type="submit" class="primary">Mute</button>
        </div>
      </form>
    <//>
  `;
}

/** @param {{group: Group, onDone: () => void}} props */
export function Muted({ group, onDone }) {
  const muted = group.muted;
  if (!muted) return null;
  const end = async () => (await said(group, 'unmute', {})) && onDone();
  return html`
    <span class="small" data-testid="muted">
      Muted by <bdi>${foreignText(muted.by, 40)}</bdi> until <time datetime=${new Date(muted.until).toISOString()}>${absolute(muted.until)}</time>,
      or ${count(muted.until_count)} tasks${muted.note && html`: <bdi>${foreignText(muted.note)}</bdi>`}
      <button type="button" class="plain" onClick=${end}>Unmute</button>
    </span>
  `;
}

/**
 * @param {Group} group
 * @param {'mute' | 'unmute'} what
 * @param {object} body
 * @returns {Promise<boolean>} whether it was done; a refusal is told
 */
async function said(group, what, body) {
  try {
    await post(`/api/dead-letter/groups/${encodeURIComponent(group.id)}/${what}`, body);
    return true;
  } catch (error) {
    toast('warning', reasonOf(error));
    return false;
  }
}
