// @ts-check
/**
 * Builds and changes elements. Text enters the page only as text nodes, so whatever an agent sends stays text;
 * attributes come from the page's own code, and none of them is an event handler or a style.
 */

/** Characters of a foreign text that are shown at most: one huge word must not slow the page down. */
const TEXT_MAX = 400;

/**
 * @typedef {Node | string | null | undefined | false} Child
 * @typedef {{[name: string]: string | number | boolean | null | undefined}} Attributes
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes] `true` sets an empty attribute; `false`, null and undefined leave it out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * Set, change or remove an attribute; nothing happens when it has that value already.
 * @param {Element} node
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value
 */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * The element on the page with this id, which `index.html` promises.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no element #${id}`);
  return node;
}

/**
 * A foreign value as text that is safe to lay out: a string, without control characters, not endlessly long.
 * @param {unknown} value
 * @param {number} [max] characters
 * @returns {string}
 */
export function foreignText(value, max = TEXT_MAX) {
  if (value === null || value === undefined) return '';
  const text = (typeof value === 'string' ? value : String(value)).slice(0, max * 2);
  const points = Array.from(text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' '));
  return points.length > max ? `${points.slice(0, max - 1).join('')}…` : points.join('');
}

/**
 * The beginning of an identifier; the whole stands in the element's title.
 * @param {string} id
 * @returns {string}
 */
export function shortId(id) {
  return id.length > 12 ? id.slice(0, 8) : id;
}

/**
 * A number with separators, `–` when there is none.
 * @param {unknown} value
 * @returns {string}
 */
export function count(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value.toLocaleString('en') : '–';
}
