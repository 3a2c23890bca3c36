// @ts-check
/** Colours of a terminal as classes. Nothing else that a terminal would obey is obeyed, and no control character is shown. */

const COLOUR = /\u001b\[([0-9;]{0,32})m/g;
/** Control characters, and what turns the direction of the text after it. */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** @typedef {{text: string, look: string}} Piece `look`: class names */

/**
 * @param {string} line
 * @returns {Piece[]}
 */
export function pieces(line) {
  if (!line.includes('\u001b')) return [{ text: shown(line), look: '' }];
  /** @type {Piece[]} */
  const found = [];
  const style = { colour: '', bold: false, faint: false, italic: false, underlined: false };
  let at = 0;
  for (const match of line.matchAll(COLOUR)) {
    add(found, line.slice(at, match.index), style);
    apply(style, match[1] ?? '');
    at = match.index + match[0].length;
  }
  add(found, line.slice(at), style);
  return found;
}

/** @param {string} line without its colours */
export function plain(line) {
  return shown(line.replace(COLOUR, ''));
}

/** @param {string} text */
function shown(text) {
  return text.replace(CONTROL, '\ufffd');
}

/** @typedef {{colour: string, bold: boolean, faint: boolean, italic: boolean, underlined: boolean}} Style */

/**
 * @param {Piece[]} found
 * @param {string} text
 * @param {Style} style
 */
function add(found, text, style) {
  if (text === '') return;
  const look = [style.colour && `ansi-${style.colour}`, style.bold && 'ansi-bold', style.faint && 'ansi-faint', style.italic && 'ansi-italic', style.underlined && 'ansi-underlined'];
  found.push({ text: shown(text), look: look.filter(Boolean).join(' ') });
}

/**
 * Of the 256 and the 16 million colours nothing is shown: their contrast is not ours to know.
 * @param {Style} style
 * @param {string} parameters
 */
function apply(style, parameters) {
  const codes = parameters.split(';').map(Number);
  for (let place = 0; place < codes.length; place += 1) {
    const code = codes[place] ?? 0;
    if (code === 0) Object.assign(style, { colour: '', bold: false, faint: false, italic: false, underlined: false });
    else if (code === 1) style.bold = true;
    else if (code === 2) style.faint = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underlined = true;
    else if (code === 22) style.bold = style.faint = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underlined = false;
    else if (code === 39) style.colour = '';
    else if (code >= 30 && code <= 37) style.colour = NAMES[code - 30] ?? '';
    else if (code >= 90 && code <= 97) style.colour = NAMES[code - 90] ?? '';
    else if (code === 38 || code === 48) place += codes[place + 1] === 5 ? 2 : 4;
  }
}
