// @ts-check
/** What an operator can order of one agent. What cannot be taken back asks first, about the agent it was opened for. */

import { useState } from 'preact/hooks';
import { post, reasonOf } from '../net/api.js';
import { navigate } from '../router.js';
import { CommandLine } from '../ui/command_line.js';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';
import { foreignText, plural } from '../ui/text.js';
import { toast } from '../ui/toast.js';

/** @typedef {import('../pages/agents.js').FleetAgent} FleetAgent */

/** @param {{agent: FleetAgent, reload: () => void}} props */
export function AgentControls({ agent, reload }) {
  const [pending, setPending] = useState('');
  const [asked, setAsked] = useState(/** @type {'disconnect' | 'forget' | 'token' | null} */ (null));
  const name = foreignText(agent.name, 60);
  const isHere = agent.connected_at !== null;
  const order = (/** @type {string} */ what, /** @type {(answer: any) => string} */ said) => {
    if (pending) return;
    setPending(what);
    post(`/api/agents/${encodeURIComponent(agent.agent_id)}/${what}`)
      .then((answer) => toast('ok', said(answer)))
      .catch((error) => toast('warning', reasonOf(error)))
      .finally(() => {
        setPending('');
        reload();
      });
  };
  const button = (/** @type {string} */ what, /** @type {string} */ word, /** @type {(answer: any) => string} */ said) => html`
    <button type="button" aria-disabled=${pending !== ''} data-order=${what} onClick=${() => order(what, said)}>${pending === what ? `${word}…` : word}</button>
  `;
  const held = (/** @type {any} */ answer) => (answer.tasks_held ? ` It goes on with ${plural(answer.tasks_held, 'task')}.` : '');
  return html`
    <div class="agent-controls" role="group" aria-label="Orders">
      ${agent.mode !== 'active' && button('resume', 'Resume', () => `${name} takes work again.`)}
      ${agent.mode !== 'paused' && button('pause', 'Pause', (answer) => `${name} gets no new work.${held(answer)}`)}
      ${!['draining', 'drained'].includes(agent.mode) && button('drain', 'Drain', (answer) => (answer.tasks_held ? `${name} finishes what it has.${held(answer)}` : `${name} is drained.`))}
      ${isHere && html`<button type="button" data-order="disconnect" onClick=${() => setAsked('disconnect')}>Disconnect…</button>`}
      <button type="button" data-order="rotate-token" onClick=${() => setAsked('token')}>New token…</button>
      ${!isHere && html`<button type="button" data-order="forget" onClick=${() => setAsked('forget')}>Forget…</button>`}
    </div>
    ${asked === 'disconnect' && html`<${Disconnect} agent=${agent} onClose=${() => setAsked(null)} onSure=${() => { setAsked(null); order('disconnect', () => `${name} is disconnected.`); }} />`}
    ${asked === 'forget' && html`<${Forget} agent=${agent} onClose=${() => setAsked(null)} />`}
    ${asked === 'token' && html`<${NewToken} agent=${agent} onClose=${() => setAsked(null)} />`}
  `;
}

/** @param {{agent: FleetAgent, onClose: () => void, onSure: () => void}} props */
function Disconnect({ agent, onClose, onSure }) {
  const name = foreignText(agent.name, 60);
  return html`
    <${Dialog} title=${`Disconnect ${name}?`} testid="disconnect-dialog" onClose=${onClose}>
      <p>Its connection is closed. It may come back at once, unless it is paused or its token is ended.</p>
      <p>${agent.slots_used > 0 ? `What it has in hand (${plural(agent.slots_used, 'task')}) waits for it for the grace, then others get it.` : 'It has no task in hand.'}</p>
      <button type="button" onClick=${onSure}>Disconnect ${name}</button>
    <//>
  `;
}

/** @param {{agent: FleetAgent, onClose: () => void}} props */
function Forget({ agent, onClose }) {
  const [problem, setProblem] = useState('');
  const name = foreignText(agent.name, 60);
  const forget = () =>
    post(`/api/agents/${encodeURIComponent(agent.agent_id)}/forget`)
      .then(() => {
        toast('ok', `${name} is forgotten.`);
        navigate('/agents');
      })
      .catch((error) => setProblem(reasonOf(error)));
  return html`
    <${Dialog} title=${`Forget ${name}?`} testid="forget-dialog" onClose=${onClose}>
      <p>It is gone from the lists, and nobody waits for it any longer. Its tasks went back to the queue when it was lost.</p>
      <p>Its token stays valid: if it comes back it is welcome. To keep it out, revoke its token in the settings.</p>
      <p class="tone-warning" role="alert">${problem}</p>
      <button type="button" onClick=${() => void forget()}>Forget ${name}</button>
    <//>
  `;
}

/**
 * The token lives in this dialog alone.
 * @param {{agent: FleetAgent, onClose: () => void}} props
 */
function NewToken({ agent, onClose }) {
  const [token, setToken] = useState('');
  const [note, setNote] = useState('');
  const path = `/api/agents/${encodeURIComponent(agent.agent_id)}`;
  const failed = (/** @type {unknown} */ error) => setNote(reasonOf(error));
  const make = () =>
    post(`${path}/rotate-token`)
      .then((answer) => setToken(String(answer.token)))
      .catch(failed);
  const end = () =>
    post(`${path}/end-old-tokens`)
      .then((answer) => setNote(`${plural(answer.old_tokens_ended, 'old token')} ended.`))
      .catch(failed);
  return html`
    <${Dialog} title=${`A new token for ${foreignText(agent.name, 60)}`} testid="rotate-dialog" onClose=${onClose}>
      ${token
        ? html`
            <p>It is shown only now. Put it where the agent reads its token, and start the agent again.</p>
            <${CommandLine} line=${token} />
            <p>The old token works until it is ended; a connection that was made with it is closed then.</p>
          `
        : html`<p>The old one works beside it until you end it.</p>`}
      <p role="status">${note}</p>
      <div class="agent-controls">
        ${!token && html`<button type="button" onClick=${() => void make()}>Make a new token</button>`}
        <button type="button" onClick=${() => void end()}>End old tokens</button>
      </div>
    <//>
  `;
}
