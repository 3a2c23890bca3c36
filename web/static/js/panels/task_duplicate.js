// @ts-check
/** Make another task after this one, changed where one wishes. The original stays as it is; each names the other. */

import { useState } from 'preact/hooks';
import { Problem, post } from '../net/api.js';
import { format, parse } from '../net/lossless.js';
import { navigate } from '../router.js';
import { LANES, laneName } from '../ui/chip.js';
import { Dialog } from '../ui/dialog.js';
import { html } from '../ui/html.js';
import { toast } from '../ui/toast.js';

/** @typedef {import('./task_commands.js').Task} Task */

/** @param {{task: Task, onClose: () => void}} props */
export function DuplicateDialog({ task, onClose }) {
  const [fields, setFields] = useState(() => fieldsOf(task));
  const [faults, setFaults] = useState(/** @type {Record<string, string>} */ ({}));
  const [isSending, setSending] = useState(false);
  const change = (/** @type {string} */ name) => (/** @type {any} */ event) => setFields({ ...fields, [name]: event.target.value });

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (isSending) return;
    const body = bodyFrom(task, fields);
    if (body === null) return setFaults({ metadata: 'Metadata must be a JSON object.' });
    setSending(true);
    try {
      const made = await post('/api/tasks', body);
      toast('ok', 'The new task is queued.');
      onClose();
      navigate(`/tasks/${encodeURIComponent(made.task_id)}`);
    } catch (error) {
      setSending(false);
      setFaults(faultsOf(error));
    }
  };
  return html`
    <${Dialog} title="Duplicate and edit" onClose=${onClose} testid="duplicate-dialog" wide>
      <form class="form" onSubmit=${submit}>
        <${Field} name="description" label="What is to be done" fault=${faults.description}>
          <textarea id="duplicate-description" rows="4" required value=${fields.description} onInput=${change('description')}></textarea>
        <//>
        <div class="form-row">
          <${Field} name="priority" label="Lane" fault=${faults.priority}>
            <select id="duplicate-priority" value=${fields.priority} onChange=${change('priority')}>${LANES.map((lane) => html`<option key=${lane}>${lane}</option>`)}</select>
          <//>
          <${Field} name="max_retries" label="Failures until it is dead" fault=${faults.max_retries}>
            <input id="duplicate-max_retries" type="number" min="0" max="100" value=${fields.max_retries} onInput=${change('max_retries')} />
          <//>
          <${Field} name="assign_to" label="Only for agent" fault=${faults.assign_to}>
            <input id="duplicate-assign_to" type="text" placeholder="any" value=${fields.assign_to} onInput=${change('assign_to')} />
          <//>
          <${Field} name="needed_capabilities" label="Needs, with commas" fault=${faults.needed_capabilities}>
            <input id="duplicate-needed_capabilities" type="text" placeholder="nothing special" value=${fields.needed_capabilities} onInput=${change('needed_capabilities')} />
          <//>
        </div>
        <${Field} name="metadata" label="Metadata (JSON)" fault=${faults.metadata}>
          <textarea id="duplicate-metadata" class="mono" rows="8" spellcheck=${false} value=${fields.metadata} onInput=${change('metadata')}></textarea>
        <//>
        ${faults[''] && html`<p class="banner tone-warning" role="alert"><span class="words">${faults['']}</span></p>`}
        <div class="dialog-actions">
          <button type="button" onClick=${onClose}>Keep it as it is</button>
          <button type="submit" class="primary" aria-disabled=${isSending}>${isSending ? 'Queueing…' : 'Queue the new task'}</button>
        </div>
      </form>
    <//>
  `;
}

/** @param {{name: string, label: string, fault?: string, children?: import('../ui/html.js').Children}} props */
function Field({ name, label, fault, children }) {
  return html`
    <div class="field">
      <label for=${`duplicate-${name}`}>${label}</label>${children}
      ${fault && html`<p class="tone-critical small" role="alert">${fault}</p>`}
    </div>
  `;
}

/** @typedef {Record<'description' | 'priority' | 'max_retries' | 'assign_to' | 'needed_capabilities' | 'metadata', string>} Fields */

/**
 * @param {Task} task
 * @returns {Fields}
 */
function fieldsOf(task) {
  return {
    description: String(task.description),
    priority: laneName(task.priority),
    max_retries: String(task.max_retries),
    assign_to: task.assign_to ?? '',
    needed_capabilities: (task.needed_capabilities ?? []).join(', '),
    metadata: format(task.metadata ?? {}),
  };
}

/**
 * @param {Task} task
 * @param {Fields} fields
 * @returns {object | null} null when the metadata is no JSON object
 */
function bodyFrom(task, fields) {
  let metadata;
  try {
    metadata = parse(fields.metadata.trim() || '{}');
  } catch {
    return null;
  }
  if (metadata === null || typeof metadata !== 'object' || Array.isArray(metadata)) return null;
  const needs = fields.needed_capabilities.split(',').map((need) => need.trim());
  return {
    description: fields.description,
    priority: fields.priority,
    max_retries: Number(fields.max_retries),
    needed_capabilities: needs.filter((need) => need !== ''),
    metadata,
    ...(fields.assign_to.trim() === '' ? {} : { assign_to: fields.assign_to.trim() }),
    duplicate_of: task.id,
  };
}

/**
 * @param {unknown} error
 * @returns {Record<string, string>} by field; the empty name is for the whole
 */
function faultsOf(error) {
  if (!(error instanceof Problem)) return { '': String(error) };
  if (error.errors.length === 0) return { '': error.message };
  return Object.fromEntries(error.errors.map(({ field, detail, error: code }) => [field.replace(/[[.].*$/, ''), `${detail ?? code}`]));
}
