// @ts-check
/** Asks before a whole group is retried: how many, which, frozen as they were when this was opened. */

import { useEffect, useState } from 'preact/hooks';
import { Problem, post } from '../net/api.js';
import { Dialog } from '../ui/dialog.js';
import { Skeleton } from '../ui/empty.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { foreignText, plural } from '../ui/text.js';
import { toast } from '../ui/toast.js';

/** @typedef {{preview: string, count: number, samples: {id: string, title: string}[]}} Preview */

/** @param {{group: {id: string, shape: string}, onClose: () => void}} props */
export function RetryGroup({ group, onClose }) {
  const [preview, setPreview] = useState(/** @type {Preview | null} */ (null));
  const [fault, setFault] = useState('');
  const [isSending, setSending] = useState(false);
  const failed = (/** @type {unknown} */ error) => setFault(error instanceof Problem ? error.message : String(error));
  useEffect(() => {
    post('/api/operations/preview', { action: 'retry', query: `state:dead_letter group:${group.id}` }).then(setPreview, failed);
  }, []);
  const start = async () => {
    if (!preview || isSending) return;
    setSending(true);
    try {
      await post('/api/operations', { action: 'retry', preview: preview.preview });
      toast('ok', `${plural(preview.count, 'task')} will be tried again.`);
      onClose();
    } catch (error) {
      failed(error);
      setSending(false);
    }
  };
  return html`
    <${Dialog} title="Retry this group" testid="retry-dialog" onClose=${onClose}>
      <bdi class="error-text">${foreignText(group.shape)}</bdi>
      ${fault && html`<p class="tone-critical" role="alert">${fault}</p>`}
      ${!preview && !fault && html`<${Skeleton} rows=${3} />`}
      ${preview && html`<${Members} preview=${preview} />`}
      <div class="dialog-actions">
        <button type="button" onClick=${onClose}>Leave it</button>
        <button type="button" class="primary" data-testid="retry-start" aria-disabled=${preview && !isSending ? null : 'true'} onClick=${() => void start()}>
          <${Icon} name="retry" />${preview ? `Retry ${plural(preview.count, 'task')}` : 'Retry'}
        </button>
      </div>
    <//>
  `;
}

/** @param {{preview: Preview}} props */
function Members({ preview }) {
  const more = preview.count - preview.samples.length;
  return html`
    <ul class="samples">
      ${preview.samples.map(({ id, title }) => html`<li key=${id}><bdi class="one-line">${foreignText(title, 120) || id}</bdi></li>`)}
      ${more > 0 && html`<li class="quiet">and ${plural(more, 'other')}</li>`}
    </ul>
  `;
}
