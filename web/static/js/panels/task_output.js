// @ts-check
/** What a task prints: live, followed until one scrolls up, searched, wrapped, and the whole of it as a file. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { LINES_KEPT, OutputStream } from '../store/output.js';
import { paused } from '../store/hub.js';
import { Empty } from '../ui/empty.js';
import { FileLink } from '../ui/file_link.js';
import { html } from '../ui/html.js';
import { Icon } from '../ui/icons.js';
import { LogLines } from '../ui/log_lines.js';
import { Panel } from '../ui/panel.js';
import { count, foreignText, plural } from '../ui/text.js';

/** Nearer to the end than this is at the end. */
const END_PX = 24;

/** A scroll so long after the reader's hand was there is not theirs. */
const TOUCH_MS = 1000;
const TOUCHES = ['wheel', 'touchmove', 'keydown', 'pointerdown'];

/** @typedef {import('../store/output.js').State} State */

/** @type {State} */
const NOTHING = { generation: null, attempts: [], keptFrom: 1, lastSeq: 0, problem: '', isRead: false, isAtEnd: true };

/** @param {{taskId: string, isRunning: boolean, attempts: {generation: number}[]}} props `attempts`: of the task, oldest first */
export function TaskOutput({ taskId, isRunning, attempts }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const [state, setState] = useState(NOTHING);
  const [isFollowing, setFollowing] = useState(true);
  const [isWrapped, setWrapped] = useState(true);
  const [words, setWords] = useState('');
  const [hit, setHit] = useState({ place: 0, count: 0 });
  const live = useRef(/** @type {Live | null} */ (null));

  useEffect(() => {
    if (!box.current) return undefined;
    const shown = new Live(taskId, box.current, setState, setFollowing);
    live.current = shown;
    return shown.start();
  }, [taskId]);
  useEffect(() => live.current?.follow(isFollowing), [isFollowing]);
  useEffect(() => setHit({ place: 0, count: live.current?.search(words) ?? 0 }), [words, state]);

  const go = (/** @type {number} */ by) => {
    const many = live.current?.search(words) ?? 0;
    const place = many === 0 ? 0 : (((hit.place + by - 1 + many) % many) + many) % many;
    if (live.current?.show(place)) setHit({ place: place + 1, count: many });
  };
  const numbers = new Map(attempts.map(({ generation }, place) => [generation, place + 1]));
  const isEmpty = state.isRead && state.lastSeq === 0 && state.problem === '';
  return html`
    <${Panel} title="Output" area="output" aside=${html`<${Count} state=${state} />`}>
      <div class="log-tools" role="toolbar" aria-label="Output">
        <button type="button" aria-pressed=${isFollowing} onClick=${() => setFollowing(!isFollowing)}><${Icon} name="down" />Follow</button>
        <button type="button" aria-pressed=${isWrapped} onClick=${() => setWrapped(!isWrapped)}>Wrap lines</button>
        ${state.attempts.length > 1 && html`<${Attempts} state=${state} numbers=${numbers} onChoose=${(/** @type {number} */ one) => live.current?.choose(one)} />`}
        <span class="log-search">
          <input
            type="search"
            aria-label="Search the output"
            placeholder="Search"
            value=${words}
            onInput=${(/** @type {any} */ event) => setWords(event.target.value)}
            onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Enter' && go(event.shiftKey ? -1 : 1)}
          />
          ${words !== '' &&
          html`
            <span class="quiet number" role="status">${hit.count === 0 ? 'None' : `${hit.place > 0 ? `${count(hit.place)} of ` : ''}${count(hit.count)}`}</span>
            <button type="button" aria-label="Previous match" onClick=${() => go(-1)}><${Icon} name="up" /></button>
            <button type="button" aria-label="Next match" onClick=${() => go(1)}><${Icon} name="down" /></button>
          `}
        </span>
        <${FileLink} path=${`/api/dashboard/tasks/${encodeURIComponent(taskId)}/output?format=text${state.generation === null ? '' : `&generation=${state.generation}`}`} name=${`${taskId}.txt`}>Download<//>
      </div>
      ${state.problem !== '' && html`<p class="banner tone-warning" role="status">${state.problem}</p>`}
      ${isEmpty && html`<${Empty} title=${isRunning ? 'It has printed nothing yet.' : 'Nothing is kept of what it printed.'}>${!isRunning && html`<p>It printed nothing, or so long ago that the hub has given its place to others.</p>`}<//>`}
      <div
        ref=${box}
        class=${`log ${isWrapped ? 'log-wrapped' : ''}`}
        hidden=${isEmpty}
        role="region"
        aria-label="Lines of output"
        tabindex="0"
        data-testid="output-lines"
        onScroll=${() => live.current?.scrolled()}
      ></div>
    <//>
  `;
}

/** @param {{state: State}} props */
function Count({ state }) {
  if (state.lastSeq === 0) return null;
  const kept = state.keptFrom > 1 ? `; the hub keeps them from line ${count(state.keptFrom)} on` : '';
  return html`<span class="quiet number" data-testid="output-count">${plural(state.lastSeq, 'line')}${kept}</span>`;
}

/** @param {{state: State, numbers: Map<number, number>, onChoose: (generation: number) => void}} props `numbers`: of attempts, by generation */
function Attempts({ state, numbers, onChoose }) {
  return html`
    <select aria-label="Output of which attempt" onChange=${(/** @type {any} */ event) => onChoose(Number(event.target.value))}>
      ${[...state.attempts].reverse().map((one) => html`<option key=${one.generation} value=${one.generation} selected=${one.generation === state.generation}>Attempt ${numbers.get(one.generation) ?? '–'} by ${foreignText(one.agent_id, 60)}</option>`)}
    </select>
  `;
}

/** Brings stream and lines together. While the page is paused nothing is put on the screen; then everything is read again. */
class Live {
  /**
   * @param {string} taskId
   * @param {HTMLElement} box
   * @param {(state: State) => void} setState
   * @param {(isFollowing: boolean) => void} setFollowing
   */
  constructor(taskId, box, setState, setFollowing) {
    this.box = box;
    this.lines = new LogLines(box, LINES_KEPT);
    this.setFollowing = setFollowing;
    this.isFollowing = true;
    this.isBehind = false;
    /** When the reader last moved in the lines; what else scrolls them is no wish of theirs. */
    this.touchedAt = -Infinity;
    /** @type {import('../ui/log_lines.js').Shown[]} */
    this.hits = [];
    this.stream = new OutputStream(taskId, {
      begin: () => this.lines.clear(),
      append: (part) => this.append(part),
      prepend: (part) => this.lines.prepend(part) && this.stream.leaveEnd(),
      changed: setState,
    });
  }

  start() {
    const touched = () => {
      this.touchedAt = performance.now();
    };
    for (const kind of TOUCHES) this.box.addEventListener(kind, touched, { passive: true });
    const sizes = new ResizeObserver(() => this.isFollowing && this.stick());
    sizes.observe(this.box);
    const ends = [
      () => sizes.disconnect(),
      this.stream.start(),
      paused.subscribe((isPaused) => {
        if (!isPaused && this.isBehind) this.toEnd();
      }),
    ];
    return () => ends.forEach((end) => end());
  }

  /** @param {import('../store/output.js').Part} part */
  append(part) {
    if (paused.peek() && this.lines.lines.length > 0) {
      this.isBehind = true;
      return;
    }
    this.lines.append(part);
    if (this.isFollowing) this.stick();
  }

  toEnd() {
    this.isBehind = false;
    void this.stream.readEnd().then(() => this.follow(this.isFollowing));
  }

  /** @param {number} generation */
  choose(generation) {
    const newest = Math.max(...this.stream.state.attempts.map((one) => one.generation));
    this.stream.choose(generation === newest ? null : generation);
  }

  /** @param {boolean} isFollowing */
  follow(isFollowing) {
    const turnedOn = isFollowing && !this.isFollowing;
    this.isFollowing = isFollowing;
    if (turnedOn && !this.stream.state.isAtEnd) this.toEnd();
    else if (isFollowing) this.stick();
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < END_PX;
    const isByReader = performance.now() - this.touchedAt < TOUCH_MS;
    if (!isByReader && this.isFollowing && !isAtEnd) {
      this.stick(); // lines became higher or the window smaller
    } else if (isByReader && this.isFollowing !== isAtEnd && (!isAtEnd || this.stream.state.isAtEnd)) {
      this.isFollowing = isAtEnd;
      this.setFollowing(isAtEnd);
    }
    if (isByReader && scrollTop === 0 && !this.stream.isReading && scrollHeight > clientHeight) void this.stream.readOlder();
  }

  stick() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  /** @param {string} words */
  search(words) {
    this.hits = this.lines.find(words);
    return this.hits.length;
  }

  /**
   * @param {number} place of a hit
   * @returns {boolean}
   */
  show(place) {
    const found = this.hits[place];
    if (!found) return false;
    this.isFollowing = false;
    this.setFollowing(false);
    for (const node of this.box.querySelectorAll('.log-current')) node.classList.remove('log-current');
    found.node.classList.add('log-current');
    found.node.scrollIntoView({ block: 'center' });
    return true;
  }
}
