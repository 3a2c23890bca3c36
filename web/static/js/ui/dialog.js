// @ts-check
/**
 * A modal dialog. The browser keeps the focus in it; it goes back to where it was, or to the title of the page when what had it is
 * gone. Escape and a click beside it close it.
 */

import { useLayoutEffect, useRef } from 'preact/hooks';
import { focusTitle } from './focus.js';
import { html } from './html.js';

let made = 0;

/**
 * @param {{title: string, onClose: () => void, children?: import('./html.js').Children, testid?: string, wide?: boolean}} props
 */
export function Dialog({ title, onClose, children, testid, wide }) {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const titleId = useRef(`dialog-${++made}`);
  // Not `useEffect`, which waits for the next frame: the keys that are pressed in between would miss the dialog.
  useLayoutEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      else focusTitle();
    };
  }, []);
  return html`
    <dialog
      ref=${box}
      class=${wide ? 'wide' : ''}
      aria-labelledby=${titleId.current}
      data-testid=${testid}
      onCancel=${(/** @type {Event} */ event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown=${(/** @type {PointerEvent} */ event) => isBeside(event, box.current) && onClose()}
    >
      <div class="dialog-head">
        <h2 id=${titleId.current}>${title}</h2>
        <button type="button" onClick=${onClose}>Close</button>
      </div>
      <div class="dialog-body">${children}</div>
    </dialog>
  `;
}

/**
 * @param {PointerEvent} event
 * @param {HTMLElement | null} box
 */
function isBeside(event, box) {
  if (box === null || event.target !== box) return false;
  const { left, right, top, bottom } = box.getBoundingClientRect();
  return event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom;
}
