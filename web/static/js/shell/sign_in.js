// @ts-check
/** What stands in the place of a page when the hub shows its dashboard only to people with a token. */

import { useState } from 'preact/hooks';
import { keepToken } from '../net/access.js';
import { Problem, get, reasonOf } from '../net/api.js';
import { reconnect } from '../store/hub.js';
import { html } from '../ui/html.js';
import { Panel } from '../ui/panel.js';

export function SignIn() {
  const [fault, setFault] = useState('');
  const submitted = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const field = /** @type {HTMLFormElement} */ (event.currentTarget).elements.namedItem('token');
    if (!(field instanceof HTMLInputElement) || field.value.trim() === '') return;
    keepToken(field.value.trim());
    setFault('');
    try {
      await get('/api/dashboard/state');
      reconnect();
    } catch (error) {
      const isRefused = error instanceof Problem && error.status === 401;
      setFault(isRefused ? 'The hub does not know this token.' : reasonOf(error));
    }
  };
  return html`
    <${Panel} title="This hub asks who you are" area="sign-in" padded>
      <form class="sign-in" data-testid="sign-in" onSubmit=${submitted}>
        <label>Token<input name="token" type="password" autocomplete="off" required aria-describedby="sign-in-fault" /></label>
        <p id="sign-in-fault" role="alert" class="tone-critical">${fault}</p>
        <div><button type="submit">Sign in</button></div>
        <p class="quiet">It is kept until this page is closed or loaded again. Make one with <code>agentcom token create NAME --role operator</code>.</p>
      </form>
    <//>
  `;
}
