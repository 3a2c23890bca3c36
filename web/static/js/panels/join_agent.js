// @ts-check
/** How an agent comes to this hub: one line with a code that works once. The dialog notices it when it is there. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { agentAddress, at } from '../base.js';
import { post, reasonOf } from '../net/api.js';
import { agents } from '../store/hub.js';
import { CommandLine } from '../ui/command_line.js';
import { Dialog } from '../ui/dialog.js';
import { Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText } from '../ui/text.js';

/** @param {{onClose: () => void}} props */
export function JoinAgent({ onClose }) {
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState('');
  const before = useRef(new Set(agents.peek().map((agent) => agent.agent_id)));
  useEffect(() => {
    post('/api/onboard/codes')
      .then((answer) => setCode(String(answer.code)))
      .catch((error) => setProblem(reasonOf(error)));
  }, []);
  const joined = agents.value.filter((agent) => !before.current.has(agent.agent_id) && agent.fsm_state !== 'offline');
  const hub = `${location.origin}${at('/')}`.replace(/\/$/, '');
  return html`
    <${Dialog} title="Add an agent" testid="join-dialog" wide onClose=${onClose}>
      <p>On the machine where it shall work, with a program of yours that gets each task on its standard input:</p>
      ${code
        ? html`<${CommandLine} line=${`agentcom agent join ${hub} --code ${code} --name my-agent -- ./my-script.sh`} />`
        : problem
          ? html`<p class="tone-warning" role="alert">${problem}</p>`
          : html`<${Skeleton} rows=${1} />`}
      <p class="quiet">The code lets one agent in, within ten minutes. Its token is kept there for the next start, which needs no code.</p>
      <div role="status" data-testid="joined">
        ${joined.length === 0
          ? html`<p class="quiet">Nobody has joined since this was opened.</p>`
          : joined.map((agent) => html`<p key=${agent.agent_id}><${Icon} name="joined" tone="ok" /> <a href=${agentAddress(agent.agent_id)}><bdi class="strong">${foreignText(agent.name, 60)}</bdi></a> has joined. Hello!</p>`)}
      </div>
    <//>
  `;
}
