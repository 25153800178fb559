/** The chart of a metric as a Vega-Lite specification. */
import type { JSONObject } from '@lumino/coreutils';

import type { MetricSeries, RunView, SweepView } from '../api/types';
import { decode, decodeNumber } from '../values';
import { formatParameters, formatValue, variedNames } from '../format';

/** Charts of more lines than this are unreadable; the best are shown. */
export const MAX_LINES = 100;
/** Points of one line beyond this are thinned out. */
const MAX_POINTS = 400;
/** So few values of a parameter are each named on the axis. */
const MAX_TICKS = 8;
/** From this ratio on, an axis of positive numbers is logarithmic. */
const LOG_RATIO = 50;

/** Colours and fonts of the theme. */
export interface IPalette {
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly best: string;
  readonly selected: string;
  readonly other: string;
  readonly font: string;
  readonly fontSize: number;
}

/** The words in the chart. */
export interface IChartWords {
  readonly best: string;
  readonly selected: string;
  readonly other: string;
  readonly step: string;
  readonly run: string;
}

export interface IChartInput {
  readonly sweep: SweepView;
  readonly runs: readonly RunView[];
  readonly series: readonly MetricSeries[];
  readonly metric: string;
  /** The parameter against which single values are drawn, or null if none varies. */
  readonly axis: string | null;
  readonly selected: string | null;
  readonly width: number;
  readonly height: number;
  readonly palette: IPalette;
  readonly words: IChartWords;
}

/** Return the specification, or null if there is nothing to show. */
export function buildChart(input: IChartInput): JSONObject | null {
  const lines = input.series.filter(
    each => each.key === input.metric && each.values.length > 0
  );
  if (lines.some(each => each.values.length > 1)) {
    return frame(input, lineRows(input, lines), {
      mark: { type: 'line', point: lines.length <= 12, strokeJoin: 'round' },
      x: axis('quantitative', input.words.step, { tickMinStep: 1 })
    });
  }
  return scatter(input);
}

interface IMarks {
  readonly mark: JSONObject;
  readonly x: JSONObject;
}

/** The metric against the parameter that varies, or the number of the run. */
function scatter(input: IChartInput): JSONObject | null {
  const { runs, metric, axis: name } = input;
  const rows = runs.flatMap(run => {
    const y = decodeNumber(run.metrics[metric]);
    const value = name === null ? run.index : decode(run.parameters[name]);
    const x = typeof value === 'number' ? value : formatValue(value);
    return y === null || !Number.isFinite(y) ? [] : [row(input, run, x, y)];
  });
  const numbers = rows.map(each => each.x);
  if (rows.length === 0) {
    return null;
  }
  const isNumeric = numbers.every(Number.isFinite);
  const isLog = isNumeric && spread(numbers as number[]) >= LOG_RATIO;
  const distinct = [...new Set(numbers as number[])].sort((a, b) => a - b);
  return frame(input, rows, {
    mark: { type: 'point', filled: true, size: 64 },
    x: axis(isNumeric ? 'quantitative' : 'nominal', name ?? '#', {
      ...(isLog && { scaleType: 'log' }),
      ...(isNumeric && distinct.length <= MAX_TICKS && { values: distinct })
    })
  });
}

function lineRows(
  input: IChartInput,
  lines: readonly MetricSeries[]
): JSONObject[] {
  const runs = new Map(input.runs.map(run => [run.id, run]));
  return best(input, lines).flatMap(line => {
    const run = runs.get(line.run_id);
    const stride = Math.ceil(line.values.length / MAX_POINTS);
    return line.values.flatMap((encoded, index) => {
      const y = decodeNumber(encoded);
      const isKept = index % stride === 0 || index === line.values.length - 1;
      return run && isKept && y !== null && Number.isFinite(y)
        ? [row(input, run, line.steps[index] ?? index, y)]
        : [];
    });
  });
}

/** The lines to be shown: the best ones if there are too many, and the selected one. */
function best(
  input: IChartInput,
  lines: readonly MetricSeries[]
): readonly MetricSeries[] {
  if (lines.length <= MAX_LINES) {
    return lines;
  }
  const sign = input.sweep.maximize ? -1 : 1;
  const last = (line: MetricSeries): number => {
    const value = decodeNumber(line.values.at(-1));
    return value === null || Number.isNaN(value) ? Infinity : sign * value;
  };
  const sorted = [...lines].sort((left, right) => last(left) - last(right));
  return sorted.filter(
    (line, index) => index < MAX_LINES || line.run_id === input.selected
  );
}

function row(
  input: IChartInput,
  run: RunView,
  x: number | string,
  y: number
): JSONObject {
  const { words, sweep, selected } = input;
  const isBest = run.id === sweep.best?.run_id;
  return {
    run: run.id,
    x,
    y,
    group: isBest
      ? words.best
      : run.id === selected
        ? words.selected
        : words.other,
    label: formatParameters(run.parameters, variedNames(sweep, input.runs))
  };
}

function axis(
  type: 'nominal' | 'quantitative',
  title: string,
  options: {
    readonly scaleType?: string;
    readonly tickMinStep?: number;
    readonly values?: number[];
  }
): JSONObject {
  return {
    field: 'x',
    type,
    title,
    scale: {
      ...(type === 'quantitative' && { zero: false, nice: false, padding: 12 }),
      ...(options.scaleType !== undefined && { type: options.scaleType })
    },
    axis: {
      ...(options.tickMinStep !== undefined && {
        tickMinStep: options.tickMinStep
      }),
      ...(options.values !== undefined && { values: options.values }),
      labelAngle: 0,
      grid: false
    }
  };
}

function frame(
  input: IChartInput,
  rows: JSONObject[],
  marks: IMarks
): JSONObject {
  const { words, palette, metric } = input;
  const groups = [words.other, words.selected, words.best];
  const used = groups.filter(group => rows.some(each => each.group === group));
  const colours: Readonly<Record<string, string>> = {
    [words.other]: palette.other,
    [words.selected]: palette.selected,
    [words.best]: palette.best
  };
  const encoding: JSONObject = {
    x: marks.x,
    y: {
      field: 'y',
      type: 'quantitative',
      title: metric,
      scale: { zero: false, nice: true }
    },
    detail: { field: 'run', type: 'nominal' },
    color: {
      field: 'group',
      type: 'nominal',
      scale: { domain: used, range: used.map(group => colours[group] ?? '') },
      legend: used.length > 1 ? { title: null, orient: 'top' } : null
    },
    tooltip: [
      { field: 'label', type: 'nominal', title: words.run },
      {
        field: 'x',
        type: marks.x.type ?? 'nominal',
        title: marks.x.title ?? ''
      },
      { field: 'y', type: 'quantitative', title: metric, format: '.4~g' }
    ]
  };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    width: input.width,
    height: input.height,
    autosize: { type: 'fit', contains: 'padding' },
    data: { values: rows },
    // Drawn in this order, so that what matters lies on top.
    layer: used.map(group => ({
      transform: [{ filter: { field: 'group', equal: group } }],
      mark: {
        ...marks.mark,
        opacity: group === words.other ? 0.55 : 1,
        ...(marks.mark.type === 'line' && {
          strokeWidth: group === words.other ? 1.25 : 2.5
        })
      }
    })),
    encoding,
    config: chartConfig(palette)
  };
}

/** How every chart of ours looks in a theme. */
export function chartConfig(palette: IPalette): JSONObject {
  const { text, muted, grid, font, fontSize } = palette;
  return {
    background: 'transparent',
    font,
    view: { stroke: null },
    axis: {
      domainColor: grid,
      gridColor: grid,
      tickColor: grid,
      labelColor: muted,
      titleColor: text,
      labelFontSize: fontSize - 1,
      titleFontSize: fontSize,
      titleFontWeight: 'normal',
      titlePadding: 8
    },
    legend: { labelColor: text, labelFontSize: fontSize - 1 }
  };
}

/** The largest by the smallest number, or 0 if some are not positive. */
function spread(numbers: readonly number[]): number {
  const least = Math.min(...numbers);
  return least > 0 ? Math.max(...numbers) / least : 0;
}
