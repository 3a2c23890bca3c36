// @ts-check
/**
 * One drawing on a canvas, by uPlot: lines, gaps where nothing is known, the newest step hatched because it is not over, a mark
 * where the hub was started. Knows nothing of the page around it; colours are asked of the style sheet.
 */

import { lookOf } from './series.js';
import { clockTime, dayName, inChosenZone } from './time.js';

/**
 * @typedef {import('uplot')} UPlot
 * @typedef {{step_s: number, now: number, partial_since: number, restarts: {at: number}[], times: number[],
 *   series: Record<string, (number | null)[]>}} Trends the answer of `GET /api/dashboard/trends`
 * @typedef {{from: number, until: number}} Span Unix milliseconds
 *
 * @typedef {object} Options
 * @property {string[]} names the series that are drawn
 * @property {string} unit the title of the axis
 * @property {boolean} isLog a logarithmic axis in seconds, for values in milliseconds
 * @property {string} cursorKey charts with the same one share their cursor
 * @property {(place: number | null) => void} onCursor the place in `times`
 * @property {(span: Span | null) => void} onZoom null: back to everything
 */

const FONT = '11px system-ui, sans-serif';
const LEAST_HEIGHT = 60;
const DAY_S = 86_400;

/** What is shorter is drawn as long as this: 0 has no logarithm, and nobody waits for 10 ms. */
const LEAST_MS = 10;

/** Steps of an axis that counts things. */
const WHOLE = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].flatMap((power) => [power, 2 * power, 5 * power]);

/** @type {Map<string, string>} */
const colours = new Map();

/**
 * @param {string} tone
 * @returns {string} as the style sheet says now
 */
function colourOf(tone) {
  const known = colours.get(tone);
  if (known) return known;
  const probe = document.createElement('span');
  probe.className = `tone-${tone}`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  colours.set(tone, found);
  return found;
}

export class Plot {
  /**
   * @param {typeof import('uplot')} UPlotClass
   * @param {HTMLElement} place
   * @param {Options} options
   */
  constructor(UPlotClass, place, options) {
    this.place = place;
    this.options = options;
    /** @type {Trends | null} */
    this.trends = null;
    this.u = new UPlotClass(this.settings(), [[], ...options.names.map(() => [])], place);
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(place);
    this.themes = new MutationObserver(() => this.recolour());
    this.themes.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.scheme.addEventListener('change', this.recolour);
  }

  recolour = () => {
    colours.clear();
    this.u.redraw(false, true);
  };

  end() {
    this.sizes.disconnect();
    this.themes.disconnect();
    this.scheme.removeEventListener('change', this.recolour);
    this.u.destroy();
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width > 0) this.u.setSize({ width, height: Math.max(LEAST_HEIGHT, height) });
  }

  /**
   * @param {Trends} trends
   * @param {Span | null} zoom
   */
  show(trends, zoom) {
    this.trends = trends;
    const columns = this.options.names.map((name) => this.drawable(trends.series[name] ?? []));
    const span = zoom ?? wholeOf(trends);
    this.u.batch(() => {
      this.u.setData([trends.times.map((time) => time / 1000), ...columns], false);
      this.u.setScale('x', { min: span.from / 1000, max: span.until / 1000 });
    });
  }

  /** @param {(number | null)[]} values */
  drawable(values) {
    if (!this.options.isLog) return values;
    return values.map((value) => (value === null ? null : Math.max(value, LEAST_MS) / 1000));
  }

  /** @param {number | null} place in `times` */
  moveCursor(place) {
    const time = place === null ? undefined : this.u.data[0]?.[place];
    const to = time === undefined ? { left: -10, top: -10 } : { left: this.u.valToPos(time, 'x'), top: 0 };
    const drawn = /** @type {any} */ (this.u); // its types do not know that the others can be told
    drawn.setCursor(to, true, true);
  }

  // --- how it is drawn ------------------------------------------------------------------------------------------

  /** @returns {import('uplot').Options} */
  settings() {
    const { names, isLog, cursorKey, onCursor } = this.options;
    return {
      width: Math.max(this.place.clientWidth, 100),
      height: Math.max(this.place.clientHeight, LEAST_HEIGHT),
      legend: { show: false },
      tzDate: inChosenZone,
      scales: { x: { time: true }, y: isLog ? { distr: 3, log: 10, range: decades } : { range: fromZero } },
      axes: [
        this.axis({ size: 22, space: 64, values: (u, splits) => times(u, splits) }),
        this.axis({ label: this.options.unit, labelSize: 16, labelGap: 0, labelFont: FONT, size: axisWidth, space: 24, ...(isLog ? LOG_AXIS : { incrs: WHOLE }) }),
      ],
      series: [{}, ...names.map(seriesOf)],
      cursor: {
        sync: { key: cursorKey },
        y: false,
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => this.zoomOut() },
      },
      hooks: {
        setCursor: [(u) => onCursor(u.cursor.idx ?? null)],
        setSelect: [(u) => this.selected(u)],
        drawAxes: [(u) => this.drawBehind(u)],
      },
    };
  }

  /** @param {import('uplot').Axis} more @returns {import('uplot').Axis} */
  axis(more) {
    const line = { stroke: () => colourOf('line'), width: 1 };
    return { stroke: () => colourOf('muted'), font: FONT, grid: line, ticks: { ...line, size: 4 }, gap: 3, ...more };
  }

  /** @returns {null} */
  zoomOut() {
    this.options.onZoom(null);
    return null;
  }

  /** @param {UPlot} u */
  selected(u) {
    const { left, width } = u.select;
    if (width < 4) return; // a click, not a drag
    this.options.onZoom({ from: Math.round(u.posToVal(left, 'x') * 1000), until: Math.round(u.posToVal(left + width, 'x') * 1000) });
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  /** @param {UPlot} u */
  drawBehind(u) {
    if (!this.trends) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.hatchNewest(u, this.trends);
    for (const { at } of this.trends.restarts) markStart(u, u.valToPos(at / 1000, 'x', true));
    ctx.restore();
  }

  /**
   * @param {UPlot} u
   * @param {Trends} trends
   */
  hatchNewest(u, { partial_since: since, step_s: step }) {
    const { ctx, bbox } = u;
    const left = u.valToPos(since / 1000, 'x', true);
    const right = u.valToPos(since / 1000 + step, 'x', true);
    const gap = 6 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, Math.max(right - left, 3 * devicePixelRatio), bbox.height);
    ctx.clip();
    ctx.strokeStyle = colourOf('muted');
    ctx.globalAlpha = 0.45;
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let x = left - bbox.height; x < right + gap; x += gap) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
}

/**
 * @param {Trends} trends
 * @returns {Span}
 */
export function wholeOf(trends) {
  return { from: trends.times[0] ?? 0, until: trends.partial_since + trends.step_s * 1000 };
}

/**
 * A dashed line with a flag on top.
 * @param {UPlot} u
 * @param {number} x
 */
function markStart({ ctx, bbox }, x) {
  const size = 5 * devicePixelRatio;
  ctx.strokeStyle = ctx.fillStyle = colourOf('retry');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x + size * 1.6, bbox.top + size);
  ctx.lineTo(x, bbox.top + 2 * size);
  ctx.fill();
}

/**
 * @param {string} name
 * @returns {import('uplot').Series}
 */
function seriesOf(name) {
  const { tone, dash } = lookOf(name);
  const colour = () => colourOf(tone);
  return { stroke: colour, width: 1.5, dash, points: { show: true, size: 4, width: 1, fill: colour, stroke: colour, filter: alone } };
}

/**
 * Points that no line leads to or from would not be seen.
 * @param {UPlot} u
 * @param {number} series
 * @returns {number[]}
 */
function alone(u, series) {
  const values = u.data[series] ?? [];
  const found = [];
  for (let place = 0; place < values.length; place += 1) {
    if (typeof values[place] === 'number' && typeof values[place - 1] !== 'number' && typeof values[place + 1] !== 'number') found.push(place);
  }
  return found;
}

/**
 * @param {UPlot} _
 * @param {number | null} __
 * @param {number | null} most
 * @returns {[number, number]}
 */
function fromZero(_, __, most) {
  return [0, Math.max(1, (most ?? 0) * 1.08)];
}

/**
 * Whole decades, from the one of the least to the one of the most.
 * @param {UPlot} _
 * @param {number | null} least
 * @param {number | null} most
 * @returns {[number, number]}
 */
function decades(_, least, most) {
  if (!least || !most) return [0.01, 1];
  const low = 10 ** Math.floor(Math.log10(least));
  return [low, Math.max(low * 10, 10 ** Math.ceil(Math.log10(most)))];
}

/**
 * The hour, or the day where more than two of them are shown.
 * @param {UPlot} u
 * @param {number[]} splits Unix seconds
 */
function times(u, splits) {
  const { min = 0, max = 0 } = u.scales.x ?? {};
  const isLong = (max ?? 0) - (min ?? 0) > 2 * DAY_S;
  const isFine = (splits[1] ?? 0) - (splits[0] ?? 0) < 60;
  return splits.map((at) => (isLong ? dayName(at * 1000) : clockTime(at * 1000).slice(0, isFine ? 8 : 5)));
}

/** @type {import('uplot').Axis} */
const LOG_AXIS = {
  splits: (_, __, least, most) => {
    const [first, last] = [Math.round(Math.log10(least)), Math.round(Math.log10(most))];
    const step = last - first > 4 ? 2 : 1; // more do not fit into a small chart
    const found = [];
    for (let power = first; power <= last; power += step) found.push(10 ** power);
    return found;
  },
  filter: (_, splits) => splits,
  values: (_, splits) => splits.map((value) => (value < 1 ? String(Number(value.toPrecision(1))) : value.toLocaleString('en'))),
};

/**
 * Wide enough for its longest number.
 * @param {UPlot} _
 * @param {string[] | null} values
 */
function axisWidth(_, values) {
  return 14 + 7 * Math.max(2, ...(values ?? []).map((text) => String(text ?? '').length));
}
