// @ts-check
/** Icons out of the sprite. An icon never stands alone: a word is next to it, so it is hidden from screen readers. */

const SVG = 'http://www.w3.org/2000/svg';
const SPRITE = new URL('../../icons.svg', import.meta.url).pathname;

/**
 * @param {string} name id of a symbol in `icons.svg`
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'use'));
  setIcon(svg, name);
  return svg;
}

/**
 * @param {Element} svg made by `icon`
 * @param {string} name
 */
export function setIcon(svg, name) {
  const use = svg.firstElementChild;
  const href = `${SPRITE}#${name}`;
  if (use && use.getAttribute('href') !== href) use.setAttribute('href', href);
}
