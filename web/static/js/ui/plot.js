// @ts-check
/** The drawing of a chart: uPlot with our colours, the newest bucket hatched, restarts marked. It knows nothing of components. */

import { effect } from '@preact/signals';
import { theme } from '../store/choices.js';
import { clockTime } from './time.js';

/** @typedef {import('./chart.js').Props} Props */

const AXIS_FONT = '11px system-ui, sans-serif';
/** Round times in milliseconds, for axes that are logarithmic; below the first one nothing is drawn, as nought has no logarithm. */
const ROUND_TIMES = [1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 360_000_000];
const SMALLEST_LOG = 1;

/** One drawing, made anew when the theme changes. */
export class Plot {
  /**
   * @param {HTMLElement} box
   * @param {{current: Props}} latest
   * @param {(place: number | null) => void} onPlace
   */
  constructor(box, latest, onPlace) {
    this.box = box;
    this.latest = latest;
    this.onPlace = onPlace;
    /** @type {any} */
    this.drawn = null;
    this.isEnded = false;
    /** @type {(() => void)[]} */
    this.ends = [];
    void this.start();
  }

  async start() {
    const { default: UPlot } = await import('uplot');
    if (this.isEnded) return;
    const draw = () => {
      this.drawn?.destroy();
      this.drawn = new UPlot(this.options(UPlot), this.data(), this.box);
    };
    const resized = new ResizeObserver(() => this.drawn?.setSize(this.size()));
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    this.ends = [effect(() => void [theme.value, requestAnimationFrame(() => this.isEnded || draw())]), () => dark.removeEventListener('change', draw), () => resized.disconnect()];
    resized.observe(this.box);
  }

  end() {
    this.isEnded = true;
    for (const end of this.ends) end();
    this.drawn?.destroy();
  }

  update() {
    this.drawn?.setData(this.data());
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.drawn) return;
    event.preventDefault();
    const last = this.latest.current.times.length - 1;
    const next = Math.max(0, Math.min(last, (this.drawn.cursor.idx ?? last + (step < 0 ? 0 : -1)) + step));
    this.drawn.setCursor({ left: this.drawn.valToPos(this.latest.current.times[next], 'x'), top: 10 });
  }

  size() {
    return { width: Math.max(80, this.box.clientWidth), height: this.latest.current.height ?? Math.max(60, this.box.clientHeight) };
  }

  /** @returns {any} */
  data() {
    const { times, series, isLog } = this.latest.current;
    const value = (/** @type {number | null} */ one) => (isLog && one !== null ? Math.max(SMALLEST_LOG, one) : one);
    return [times, ...series.map(({ values }) => values.map(value))];
  }

  /**
   * @param {any} UPlot
   * @returns {any}
   */
  options(UPlot) {
    const { series, isLog, sync, words, axis: axisWords = words, onZoom } = this.latest.current;
    const [line, muted] = [this.colour('var(--line)'), this.colour('var(--muted)')];
    const axis = { stroke: muted, font: AXIS_FONT, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    return {
      ...this.size(),
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, points: { size: 6 }, drag: { x: Boolean(onZoom), y: false, setScale: false }, ...(sync ? { sync: { key: sync } } : {}) },
      scales: { x: { time: true }, y: isLog ? { distr: 3, range: logRange } : { range: linearRange } },
      axes: [
        { ...axis, size: 24, space: 70, values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => clockTime(tick * 1000).slice(0, 5)) },
        { ...axis, size: 52, space: 28, ...(isLog ? { splits: roundTimes, filter: all } : {}), values: (/** @type {any} */ _, /** @type {(number | null)[]} */ ticks) => ticks.map((tick) => (tick === null ? '' : axisWords(tick))) },
      ],
      series: [{}, ...series.map(({ label, tone, dash }) => ({ label, stroke: this.colour(`var(--${tone})`), width: 1.5, dash, spanGaps: false, points: { size: 4, filter: alone } }))],
      hooks: {
        setCursor: [(/** @type {any} */ drawn) => this.onPlace(drawn.cursor.idx ?? null)],
        setSelect: [(/** @type {any} */ drawn) => this.chosen(drawn)],
        draw: [(/** @type {any} */ drawn) => this.decorate(drawn, UPlot.pxRatio ?? devicePixelRatio)],
      },
    };
  }

  /** @param {any} drawn */
  chosen(drawn) {
    const { left, width } = drawn.select;
    if (width < 4) return;
    this.latest.current.onZoom?.(drawn.posToVal(left, 'x'), drawn.posToVal(left + width, 'x'));
    drawn.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /**
   * Hatches the newest bucket and marks restarts.
   * @param {any} drawn
   * @param {number} ratio
   */
  decorate(drawn, ratio) {
    const { times, bucketS = 0, marks = [] } = this.latest.current;
    const { ctx, bbox } = drawn;
    const x = (/** @type {number} */ time) => drawn.valToPos(time, 'x', true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = ratio;
    ctx.strokeStyle = this.colour('var(--line-strong)');
    const last = times.at(-1);
    if (bucketS > 0 && last !== undefined) {
      ctx.globalAlpha = 0.5;
      ctx.beginPath();
      ctx.rect(x(last - bucketS), bbox.top, x(last) - x(last - bucketS), bbox.height);
      ctx.clip();
      ctx.beginPath();
      for (let at = x(last - bucketS) - bbox.height; at < x(last); at += 6 * ratio) {
        ctx.moveTo(at, bbox.top + bbox.height);
        ctx.lineTo(at + bbox.height, bbox.top);
      }
      ctx.stroke();
    }
    ctx.restore();
    ctx.save();
    ctx.strokeStyle = this.colour('var(--retry)');
    ctx.lineWidth = ratio;
    ctx.setLineDash([3 * ratio, 3 * ratio]);
    for (const mark of marks) {
      ctx.beginPath();
      ctx.moveTo(x(mark), bbox.top);
      ctx.lineTo(x(mark), bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  /**
   * What a colour of the style sheets is in the present theme: a canvas knows no custom properties.
   * @param {string} value
   */
  colour(value) {
    this.box.style.setProperty('outline-color', value);
    const found = getComputedStyle(this.box).outlineColor;
    this.box.style.removeProperty('outline-color');
    return found;
  }
}

/**
 * Points that no line leads to are drawn as points: a hub with little to do has many gaps.
 * @param {any} drawn
 * @param {number} series
 */
function alone(drawn, series) {
  const values = drawn.data[series];
  return values.flatMap((/** @type {number | null} */ value, /** @type {number} */ at) => (value !== null && (values[at - 1] ?? values[at + 1] ?? null) === null ? [at] : []));
}

/**
 * From nought, with a little room above.
 * @param {any} _
 * @param {number | null} __
 * @param {number | null} most
 */
function linearRange(_, __, most) {
  return [0, Math.max(1, (most ?? 0) * 1.1)];
}

/**
 * From the round time below the least to the one above the most.
 * @param {any} _
 * @param {number | null} least
 * @param {number | null} most
 */
function logRange(_, least, most) {
  const [low, high] = [least ?? 100, most ?? 10_000];
  const from = ROUND_TIMES.findLast((one) => one <= low) ?? SMALLEST_LOG;
  return [from, ROUND_TIMES.find((one) => one >= high && one > from) ?? high];
}

/**
 * @param {any} _
 * @param {number} __
 * @param {number} from
 * @param {number} to
 */
function roundTimes(_, __, from, to) {
  return ROUND_TIMES.filter((one) => one >= from && one <= to);
}

/**
 * @param {any} _
 * @param {number[]} splits
 */
function all(_, splits) {
  return splits;
}
