// @ts-check
/** The dialog that makes a webhook, and then shows its signing secret: once, and nowhere else. */

import { useState } from 'preact/hooks';
import { Problem, post } from '../net/api.js';
import { CommandLine } from '../ui/command_line.js';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';

const EVENTS = [
  { id: 'agent.offline', what: 'An agent went away' },
  { id: 'health.worse', what: 'Health got worse' },
  { id: 'health.recovered', what: 'Health is ok again' },
  { id: 'dead_letters.new', what: 'Tasks were given up' },
];

/** @param {{onClose: () => void, onAdded: () => void}} props */
export function AddWebhook({ onClose, onAdded }) {
  const [made, setMade] = useState(/** @type {{id: string, secret: string} | null} */ (null));
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (isBusy || !(event.target instanceof HTMLFormElement)) return;
    const form = new FormData(event.target);
    const label = String(form.get('label') ?? '').trim();
    const events = form.getAll('event');
    setBusy(true);
    post('/api/webhooks', { url: String(form.get('url')).trim(), events: events.length === EVENTS.length ? [] : events, ...(label && { label }) })
      .then((hook) => {
        setMade(hook);
        onAdded();
      })
      .catch((error) => setProblem(sentenceOf(error)))
      .finally(() => setBusy(false));
  };
  if (made) return html`<${Dialog} title="The webhook is there" testid="webhook-secret" onClose=${onClose}><${Secret} secret=${made.secret} id=${made.id} /><//>`;
  return html`
    <${Dialog} title="Add a webhook" testid="webhook-dialog" onClose=${onClose}>
      <form class="settings-form" onSubmit=${submit}>
        <label>Address<input type="text" name="url" required inputmode="url" autocomplete="off" placeholder="https://" aria-describedby="webhook-problem" /></label>
        <label>What to call it<input type="text" name="label" autocomplete="off" maxlength="80" /></label>
        <fieldset class="choice column">
          <legend>Tell it when</legend>
          ${EVENTS.map(({ id, what }) => html`<label key=${id} class="check"><input type="checkbox" name="event" value=${id} defaultChecked />${what}</label>`)}
        </fieldset>
        <p id="webhook-problem" class="tone-warning" role="alert">${problem}</p>
        <button type="submit" aria-disabled=${isBusy}>Add</button>
      </form>
    <//>
  `;
}

/** @param {{secret: string, id: string}} props */
function Secret({ secret, id }) {
  return html`
    <p>With this secret the receiver checks that a request is from this hub (Standard Webhooks, <code>webhook-signature</code>). It is shown only now.</p>
    <${CommandLine} line=${secret} />
    <p>Try it with the button <em>Test</em>, or in a terminal:</p>
    <${CommandLine} line=${`agentcom webhook test ${id}`} />
  `;
}

/** @param {unknown} error */
export function sentenceOf(error) {
  if (!(error instanceof Problem)) return String(error);
  return error.errors.length > 0 ? error.errors.map(({ field, detail }) => `${field}: ${detail ?? 'is not acceptable'}`).join('; ') : error.message;
}
