// @ts-check
/**
 * Numbered lines in a scrolling element: put there directly, because thousands of them change ten times a second. At most `limit`
 * are in the page; what is too much goes at the other end. Text enters as text nodes only.
 */

import { pieces, plain } from './ansi.js';
import { plural } from './text.js';

const BLOCK_LINES = 100;

/** @typedef {import('../store/output.js').Part} Part */
/** @typedef {{seq: number, text: string, node: HTMLElement}} Shown */

export class LogLines {
  /**
   * @param {HTMLElement} box
   * @param {number} limit
   */
  constructor(box, limit) {
    this.box = box;
    this.limit = limit;
    /** @type {Shown[]} */
    this.lines = [];
  }

  clear() {
    this.box.replaceChildren();
    this.lines = [];
  }

  /** @param {Part} part */
  append({ first_seq: first, lines }) {
    const last = this.lines.at(-1)?.seq;
    if (last !== undefined && first > last + 1) this.lastBlock().append(gap(first - last - 1));
    for (const [place, line] of lines.slice(-this.limit).entries()) {
      const shown = shownLine(first + Math.max(0, lines.length - this.limit) + place, line);
      this.lastBlock().append(shown.node);
      this.lines.push(shown);
    }
    const tooMany = this.lines.length - this.limit;
    if (tooMany > 0) this.drop(this.lines.splice(0, tooMany));
  }

  /**
   * What the reader looks at stays where it is.
   * @param {Part} part
   * @returns {boolean} whether lines at the end had to go
   */
  prepend({ first_seq: first, lines }) {
    const height = this.box.scrollHeight;
    const next = this.lines[0]?.seq;
    const block = newBlock();
    const shown = lines.map((line, place) => shownLine(first + place, line));
    block.append(...shown.map(({ node }) => node));
    if (next !== undefined && first + lines.length < next) block.append(gap(next - first - lines.length));
    this.box.prepend(block);
    this.lines.unshift(...shown);
    const tooMany = this.lines.length - this.limit;
    if (tooMany > 0) this.drop(this.lines.splice(-tooMany));
    this.box.scrollTop += this.box.scrollHeight - height;
    return tooMany > 0;
  }

  /**
   * Mark the lines that contain `words`.
   * @param {string} words empty: none
   * @returns {Shown[]}
   */
  find(words) {
    const wanted = words.toLowerCase();
    const found = wanted === '' ? [] : this.lines.filter(({ text }) => text.toLowerCase().includes(wanted));
    const hits = new Set(found.map(({ node }) => node));
    for (const node of this.box.querySelectorAll('.log-hit')) if (!hits.has(/** @type {HTMLElement} */ (node))) node.classList.remove('log-hit');
    for (const node of hits) node.classList.add('log-hit');
    return found;
  }

  lastBlock() {
    let block = this.box.lastElementChild;
    if (block === null || block.childElementCount >= BLOCK_LINES) {
      block = newBlock();
      this.box.append(block);
    }
    return block;
  }

  /** @param {Shown[]} gone */
  drop(gone) {
    for (const { node } of gone) {
      const block = node.parentElement;
      node.remove();
      if (block && (block.childElementCount === 0 || block.querySelector('.log-line') === null)) block.remove();
    }
  }
}

function newBlock() {
  const block = document.createElement('div');
  block.className = 'log-block';
  return block;
}

/**
 * @param {number} seq
 * @param {import('../store/output.js').Line} line
 * @returns {Shown}
 */
function shownLine(seq, [stream, text]) {
  const node = document.createElement('div');
  node.className = stream === 'err' ? 'log-line log-err' : 'log-line';
  node.dataset.seq = String(seq);
  for (const { text: words, look } of pieces(text)) {
    if (look === '') {
      node.append(words);
    } else {
      const piece = document.createElement('span');
      piece.className = look;
      piece.append(words);
      node.append(piece);
    }
  }
  if (text === '') node.append('\u200b'); // an empty line is as high as any other
  return { seq, text: plain(text), node };
}

/** @param {number} missing */
function gap(missing) {
  const node = document.createElement('div');
  node.className = 'log-gap';
  node.append(`${plural(missing, 'line')} did not arrive here`);
  return node;
}
