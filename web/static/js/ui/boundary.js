// @ts-check
/** Holds a failure of the page's own code back to the part where it happened, and lets one try again. */

import { Component } from 'preact';
import { html } from './html.js';
import { Icon } from './icons.js';

/** @extends {Component<{what: string, children?: import('./html.js').Children}, {failure: unknown}>} */
export class Boundary extends Component {
  constructor() {
    super();
    this.state = { failure: null };
  }

  /** @param {unknown} failure */
  static getDerivedStateFromError(failure) {
    return { failure };
  }

  /** @param {unknown} failure */
  componentDidCatch(failure) {
    console.error(`${this.props.what} could not be shown`, failure);
  }

  render() {
    if (this.state.failure === null) return this.props.children;
    return html`
      <div class="empty" role="alert" data-testid="panel-failed">
        <span class="state tone-critical"><${Icon} name="critical" />${this.props.what} could not be shown.</span>
        <p>${String(this.state.failure)}</p>
        <div><button type="button" onClick=${() => this.setState({ failure: null })}>Try again</button></div>
      </div>
    `;
  }
}
