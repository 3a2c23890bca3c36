// @ts-check
/**
 * A bulk operation from the question to its end: how many and which, how fast, the typed confirmation when there are many, and then the
 * progress. It always means the tasks that were previewed when it was opened.
 */

import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../net/api.js';
import { agents } from '../store/hub.js';
import { ACTIONS, preview, start } from '../store/operations.js';
import { LANES, State, TASK_STATES } from '../ui/chip.js';
import { Dialog } from '../ui/dialog.js';
import { Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { count, foreignText, plural } from '../ui/text.js';
import { OperationProgress } from './operation_progress.js';

/** More tasks than this are confirmed by typing their number. */
const TYPED_FROM = 100;

/**
 * @param {object} props
 * @param {import('../store/operations.js').Action} props.action
 * @param {import('../store/operations.js').Selection} props.selection
 * @param {() => void} props.onClose
 */
export function BulkDialog({ action, selection, onClose }) {
  const [previewed, setPreviewed] = useState(/** @type {import('../store/operations.js').Preview | null} */ (null));
  const [problem, setProblem] = useState('');
  const [operation, setOperation] = useState(/** @type {string | null} */ (null));
  useEffect(() => {
    preview(action, selection).then(setPreviewed, (error) => setProblem(wordsOf(error)));
  }, []);
  const begin = async (/** @type {object} */ options) => {
    if (!previewed) return;
    setProblem('');
    try {
      setOperation((await start(previewed, options)).id);
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  const { verb } = ACTIONS[action];
  const title = previewed ? `${verb}: ${plural(previewed.count, 'task')}` : `${verb} …`;
  return html`
    <${Dialog} title=${title} onClose=${onClose} testid="bulk-dialog" wide>
      ${operation !== null
        ? html`<${OperationProgress} id=${operation} />`
        : previewed === null
          ? !problem && html`<p role="status">Looking for the tasks …</p><${Skeleton} rows=${4} />`
          : previewed.count === 0
            ? html`<p data-testid="bulk-nothing">None of these tasks fits. ${verb} is for ${ACTIONS[action].fits}.</p>`
            : html`<${Confirm} previewed=${previewed} onStart=${begin} onClose=${onClose} />`}
      <p class="tone-critical" role="alert" data-testid="bulk-problem">${problem}</p>
    <//>
  `;
}

/** @param {{previewed: import('../store/operations.js').Preview, onStart: (options: object) => void, onClose: () => void}} props */
function Confirm({ previewed, onStart, onClose }) {
  const { action, samples } = previewed;
  const [typed, setTyped] = useState('');
  const [options, setOptions] = useState(/** @type {Record<string, any>} */ (action === 'lane' ? { lane: 'high' } : action === 'reassign' ? { agent: null } : {}));
  const needsTyping = previewed.count > TYPED_FROM;
  const isReady = !needsTyping || typed.replace(/[,. ]/g, '') === String(previewed.count);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (isReady) onStart(options);
  };
  return html`
    <form class="stack" onSubmit=${submit}>
      <p>${sentenceOf(previewed)}</p>
      <ul class="samples" aria-label="Some of them">${samples.map((one) => html`<${Sample} key=${one.id} one=${one} />`)}</ul>
      ${action === 'lane' && html`<${LaneChoice} value=${options.lane} onValue=${(/** @type {string} */ lane) => setOptions({ lane })} />`}
      ${action === 'reassign' && html`<${AgentChoice} onValue=${(/** @type {string | null} */ agent) => setOptions({ agent })} />`}
      ${action === 'retry' && html`<${PaceChoice} most=${previewed.count} onOptions=${setOptions} />`}
      ${needsTyping && html`
        <label class="stack">Type ${count(previewed.count)} to confirm
          <input type="text" inputmode="numeric" autocomplete="off" data-testid="bulk-typed" value=${typed}
            onInput=${(/** @type {InputEvent} */ event) => setTyped(/** @type {HTMLInputElement} */ (event.target).value)} />
        </label>
      `}
      <div class="dialog-actions">
        <button type="button" onClick=${onClose}>Leave them</button>
        <button type="submit" class=${ACTIONS[action].tone === 'critical' ? 'danger' : 'primary'} disabled=${!isReady} data-testid="bulk-start">
          ${ACTIONS[action].verb} ${plural(previewed.count, 'task')}
        </button>
      </div>
    </form>
  `;
}

/** @param {import('../store/operations.js').Preview} previewed */
function sentenceOf({ action, count: number }) {
  const those = plural(number, 'task');
  switch (action) {
    case 'retry':
      return `${those} will be queued again with all retries. They keep their ids and their history.`;
    case 'cancel':
      return `${those} will be cancelled; agents that work on them are told to stop.`;
    case 'discard':
      return `${those} will leave the dead letters. For 24 hours they can be recovered.`;
    case 'recover':
      return `${those} will be dead letters again.`;
    case 'reassign':
      return `${those} will wait for whom you name, at the end of their lanes.`;
    default:
      return `${those} will go to the end of another lane.`;
  }
}

/** @param {{one: any}} props */
function Sample({ one }) {
  return html`
    <li>
      <${State} looks=${TASK_STATES} state=${one.status} />
      <bdi class="one-line">${foreignText(one.title, 100)}</bdi>
      ${one.last_error && html`<bdi class="one-line quiet small">${foreignText(one.last_error, 100)}</bdi>`}
    </li>
  `;
}

/** @param {{value: string, onValue: (lane: string) => void}} props */
function LaneChoice({ value, onValue }) {
  const chosen = (/** @type {Event} */ event) => onValue(/** @type {HTMLSelectElement} */ (event.target).value);
  return html`<label class="stack">To lane<select value=${value} onChange=${chosen}>${LANES.map((lane) => html`<option value=${lane}>${lane}</option>`)}</select></label>`;
}

/** @param {{onValue: (agent: string | null) => void}} props */
function AgentChoice({ onValue }) {
  const [name, setName] = useState('');
  const typed = (/** @type {InputEvent} */ event) => {
    const text = /** @type {HTMLInputElement} */ (event.target).value.trim();
    setName(text);
    onValue(text || null);
  };
  return html`
    <label class="stack">To agent
      <input type="text" list="agents-to-choose" autocomplete="off" spellcheck=${false} placeholder="anybody that can do it" data-testid="bulk-agent" value=${name} onInput=${typed} />
    </label>
    <datalist id="agents-to-choose">${agents.value.map(({ agent_id: id, name: called }) => html`<option key=${id} value=${id}>${foreignText(called, 60)}</option>`)}</datalist>
  `;
}

/** @param {{most: number, onOptions: (options: object) => void}} props */
function PaceChoice({ most, onOptions }) {
  const [pace, setPace] = useState('now');
  const [seconds, setSeconds] = useState(600);
  const [probe, setProbe] = useState(Math.min(5, most));
  useEffect(() => {
    onOptions(pace === 'spread' ? { over_s: seconds } : pace === 'probe' ? { probe } : {});
  }, [pace, seconds, probe]);
  const radio = (/** @type {string} */ value) => ({ type: 'radio', name: 'pace', value, checked: pace === value, onChange: () => setPace(value) });
  return html`
    <fieldset class="stack">
      <legend>How</legend>
      <label class="check"><input ...${radio('now')} />At once</label>
      <label class="check"><input ...${radio('spread')} /><span>Spread over
        ${' '}<${NumberField} label="Seconds to spread over" value=${seconds} most=${86400} onValue=${setSeconds} /> s, so that what was repaired is not flooded</span></label>
      <label class="check"><input ...${radio('probe')} /><span>Probe
        ${' '}<${NumberField} label="Tasks to probe with" value=${probe} most=${Math.min(1000, most)} onValue=${setProbe} /> first, the rest when all of these completed</span></label>
    </fieldset>
  `;
}

/** @param {{label: string, value: number, most: number, onValue: (value: number) => void}} props */
function NumberField({ label, value, most, onValue }) {
  const typed = (/** @type {InputEvent} */ event) => {
    const number = Math.round(Number(/** @type {HTMLInputElement} */ (event.target).value));
    if (number >= 1 && number <= most) onValue(number);
  };
  return html`<input type="number" class="short" min="1" max=${most} aria-label=${label} value=${value} onInput=${typed} />`;
}

/** @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof Problem)) return String(error);
  return [error.message, ...error.errors.map(({ detail }) => detail ?? '')].filter(Boolean).join(' ');
}

/** @param {{action: import('../store/operations.js').Action, onPress: () => void, children?: any, label?: string}} props */
export function ActionButton({ action, onPress, children, label }) {
  const { verb, icon } = ACTIONS[action];
  return html`<button type="button" aria-label=${label} data-testid=${`bulk-${action}`} onClick=${onPress}><${Icon} name=${icon} />${children ?? verb}</button>`;
}
