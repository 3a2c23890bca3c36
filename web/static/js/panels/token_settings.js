// @ts-check
/** Who may talk to the hub: tokens are made here and shown once, listed by their names, and ended. */

import { useState } from 'preact/hooks';
import { post, reasonOf, remove } from '../net/api.js';
import { useResource } from '../store/resource.js';
import { CommandLine } from '../ui/command_line.js';
import { Dialog } from '../ui/dialog.js';
import { Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';
import { count, foreignText } from '../ui/text.js';
import { Ago } from '../ui/time.js';
import { toast } from '../ui/toast.js';
import { sentenceOf } from './add_webhook.js';

/** @typedef {{agent_id: string, role: string, created_at: number, token_prefix: string}} Token */

const ROLES = [
  { id: 'agent', what: 'agent: works on tasks' },
  { id: 'submitter', what: 'submitter: submits tasks' },
  { id: 'operator', what: 'operator: also steers tasks and agents' },
];

/** More are shown on request. */
const SHOWN = 12;

export function TokenSettings() {
  const { data, problem, isLoading, reload } = useResource('/api/dashboard/tokens', { onEvents: false });
  const [isOpen, setOpen] = useState(false);
  const [isWhole, setWhole] = useState(false);
  /** @type {Token[]} */
  const tokens = data?.tokens ?? [];
  const shown = isWhole ? tokens : tokens.slice(0, SHOWN);
  const aside = html`
    ${data && html`<span class="count">${count(data.count)}</span>`}
    <button type="button" data-testid="add-token" onClick=${() => setOpen(true)}>Make a token</button>
  `;
  return html`
    <${Panel} title="Tokens" area="tokens" padded aside=${aside}>
      <p>Only their hashes are stored. Tokens of admins are made in a terminal: <code>agentcom token create NAME --role admin</code></p>
      ${problem && html`<p class="tone-warning" role="status">${problem.detail}</p>`}
      ${isLoading && html`<${Skeleton} rows=${3} />`}
      <ul class="setting-list token-list" data-testid="tokens">
        ${shown.map((token) => html`<${Row} key=${token.token_prefix} token=${token} reload=${reload} />`)}
      </ul>
      ${shown.length < tokens.length && html`<div><button type="button" onClick=${() => setWhole(true)}>Show ${count(tokens.length - shown.length)} more</button></div>`}
      ${isWhole && data && data.count > tokens.length && html`<p class="quiet">The first ${count(tokens.length)} of ${count(data.count)}.</p>`}
      ${isOpen && html`<${MakeToken} onClose=${() => setOpen(false)} onMade=${reload} />`}
    <//>
  `;
}

/** @param {{token: Token, reload: () => void}} props */
function Row({ token, reload }) {
  const [isSure, setSure] = useState(false);
  const name = foreignText(token.agent_id, 80);
  const revoke = () =>
    remove(`/admin/tokens/${encodeURIComponent(token.agent_id)}`)
      .then(() => toast('ok', `Every token of ${name} is ended.`))
      .catch((error) => toast('warning', reasonOf(error)))
      .finally(reload);
  return html`
    <li data-testid="token-row">
      <span><bdi class="strong">${name}</bdi> <span class="tag">${token.role}</span></span>
      <code class="quiet">${token.token_prefix}</code>
      <span class="quiet"><${Ago} at=${token.created_at} prefix="Made" /></span>
      ${token.role !== 'admin' &&
      html`<button type="button" aria-label=${`${isSure ? 'Really revoke' : 'Revoke'}: ${name}`} onClick=${() => (isSure ? void revoke() : setSure(true))}>${isSure ? 'Really revoke' : 'Revoke'}</button>`}
    </li>
  `;
}

/**
 * The token lives in this dialog alone: not in the address, not in the browser's storage, and not in the page after it is closed.
 * @param {{onClose: () => void, onMade: () => void}} props
 */
function MakeToken({ onClose, onMade }) {
  const [made, setMade] = useState(/** @type {{token: string, agent_id: string} | null} */ (null));
  const [problem, setProblem] = useState('');
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!(event.target instanceof HTMLFormElement)) return;
    const form = new FormData(event.target);
    post('/admin/tokens', { agent_id: String(form.get('name')).trim(), role: form.get('role') })
      .then((answer) => {
        setMade(answer);
        onMade();
      })
      .catch((error) => setProblem(sentenceOf(error)));
  };
  if (made) {
    return html`
      <${Dialog} title=${`Token of ${foreignText(made.agent_id, 60)}`} testid="token-made" onClose=${onClose}>
        <p>It is shown only now. Keep it in a file that only its holder can read.</p>
        <${CommandLine} line=${made.token} />
      <//>
    `;
  }
  return html`
    <${Dialog} title="Make a token" testid="token-dialog" onClose=${onClose}>
      <form class="settings-form" onSubmit=${submit}>
        <label>Name<input type="text" name="name" required autocomplete="off" maxlength="128" aria-describedby="token-problem" /></label>
        <label>Role<select name="role">${ROLES.map(({ id, what }) => html`<option key=${id} value=${id}>${what}</option>`)}</select></label>
        <p class="quiet">A name that has a token keeps its newest one beside this, so that it can be replaced without a gap.</p>
        <p id="token-problem" class="tone-warning" role="alert">${problem}</p>
        <button type="submit">Make it</button>
      </form>
    <//>
  `;
}
