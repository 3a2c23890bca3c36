// @ts-check
/** JSON whose numbers stay what they were: one that JavaScript cannot hold exactly is kept as its text (`Exact`). */

/** Only a number this long can be inexact; looking for one is cheaper than asking for the text of every number. */
const LONG_NUMBER = /\d{16}/;

export class Exact {
  /** @param {string} source as it stood in the document */
  constructor(source) {
    this.source = source;
  }

  toString() {
    return this.source;
  }

  /** Sent as what it is where the browser can; else rounded, and then so large that the hub refuses it. */
  toJSON() {
    const { rawJSON } = /** @type {{rawJSON?: (text: string) => unknown}} */ (/** @type {unknown} */ (JSON));
    return rawJSON ? rawJSON(this.source) : Number(this.source);
  }
}

/**
 * @param {string} text
 * @returns {any}
 * @throws {SyntaxError}
 */
export function parse(text) {
  return LONG_NUMBER.test(text) ? JSON.parse(text, keep) : JSON.parse(text);
}

/**
 * @param {string} _key
 * @param {any} value
 * @param {{source?: string}} [context] missing in browsers that do not tell the source
 */
function keep(_key, value, context) {
  if (typeof value !== 'number' || context?.source === undefined || String(value) === context.source) return value;
  return /^-?\d+$/.test(context.source) && !Number.isSafeInteger(value) ? new Exact(context.source) : value;
}

/**
 * The document as text again, indented.
 * @param {any} value
 * @param {string} [margin]
 * @returns {string}
 */
export function format(value, margin = '') {
  if (value instanceof Exact) return value.source;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const inner = `${margin}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => inner + format(item, inner))
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${format(item, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return parts.length === 0 ? `${open}${close}` : `${open}\n${parts.join(',\n')}\n${margin}${close}`;
}
