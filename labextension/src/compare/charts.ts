/** Curves of several runs, and their parallel coordinates, as Vega-Lite specifications. */
import type { JSONObject } from '@lumino/coreutils';

import type { CompareRow, MetricSeries, RunView } from '../api/types';
import { formatParameters } from '../format';
import type { IPalette } from '../sweep/chart';
import { chartConfig } from '../sweep/chart';
import { decode, decodeNumber } from '../values';
import { scaleOf } from './scale';

/** So many runs have a colour and stand in the legend; the rest is grey. */
export const MAX_NAMED = 8;
/** Axes of parallel coordinates. */
export const MAX_AXES = 12;
/** Legible on white and on black; dashes tell lines apart for those who see few colours. */
const COLOURS = [
  '#3b82c4',
  '#e07b00',
  '#2f9e5f',
  '#d1495b',
  '#8e6bbf',
  '#8a7560',
  '#c2569c',
  '#5f9ea0'
];
const DASHES = [
  [1, 0],
  [7, 3],
  [2, 3],
  [7, 3, 2, 3]
];

export interface IDrawn {
  readonly runs: readonly RunView[];
  /** Names of the parameters that tell the runs apart. */
  readonly names: readonly string[];
  readonly width: number;
  readonly height: number;
  readonly palette: IPalette;
  readonly words: {
    readonly step: string;
    readonly run: string;
    readonly others: string;
  };
}

/** Return the curves of a metric, over one another; null if there is nothing to draw. */
export function curvesSpec(
  input: IDrawn,
  metric: string,
  series: readonly MetricSeries[]
): JSONObject | null {
  const rows = series.flatMap(line =>
    line.values.flatMap((encoded, index) => {
      const y = decodeNumber(encoded);
      return y !== null && Number.isFinite(y)
        ? [{ ...who(input, line.run_id), x: line.steps[index] ?? index, y }]
        : [];
    })
  );
  if (rows.length === 0) {
    return null;
  }
  const isShort = series.every(line => line.values.length < 2);
  return {
    ...frame(input),
    data: { values: rows },
    mark: isShort
      ? { type: 'point', filled: true, size: 64 }
      : { type: 'line', strokeJoin: 'round', point: rows.length < 200 },
    encoding: {
      ...colours(input),
      x: {
        field: 'x',
        type: 'quantitative',
        title: input.words.step,
        scale: { zero: false, nice: false, padding: 12 },
        axis: { tickMinStep: 1, grid: false }
      },
      y: {
        field: 'y',
        type: 'quantitative',
        title: metric,
        scale: { zero: false, nice: true }
      },
      tooltip: [
        { field: 'label', type: 'nominal', title: input.words.run },
        { field: 'x', type: 'quantitative', title: input.words.step },
        { field: 'y', type: 'quantitative', title: metric, format: '.4~g' }
      ]
    }
  };
}

/** Return each run as a line through what differs; null if there is nothing to draw. */
export function parallelSpec(
  input: IDrawn,
  differing: readonly CompareRow[]
): JSONObject | null {
  const axes = differing.slice(0, MAX_AXES).map(row => {
    const values = input.runs.map(run => decode(row.values[run.id] ?? null));
    return { name: row.name, values, scale: scaleOf(values) };
  });
  if (axes.length < 2 || input.runs.length === 0) {
    return null;
  }
  const lines = input.runs.flatMap((run, index) => {
    let piece = 0;
    return axes.flatMap(({ values, scale }, axis) => {
      const position = scale.place(values[index] ?? null);
      if (position === null) {
        // A line has a gap where its run lacks a value.
        piece += 1;
        return [];
      }
      return [{ ...who(input, run.id), piece, axis, position }];
    });
  });
  const ticks = axes.flatMap(({ scale }, axis) =>
    scale.ticks.map(tick => ({ axis, ...tick }))
  );
  const titles = axes.map(({ name }, axis) => ({ axis, position: 1, name }));
  const x = {
    field: 'axis',
    type: 'quantitative',
    scale: { domain: [-0.3, axes.length - 0.7], nice: false },
    axis: null
  };
  const y = {
    field: 'position',
    type: 'quantitative',
    scale: { domain: [0, 1.08], nice: false },
    axis: null
  };
  const { text, muted, grid, fontSize } = input.palette;
  return {
    ...frame(input),
    encoding: { x, y },
    layer: [
      {
        data: { values: axes.map((_, axis) => ({ axis, low: 0, high: 1 })) },
        mark: { type: 'rule', color: grid, strokeWidth: 2 },
        encoding: {
          y: { ...y, field: 'low' },
          y2: { field: 'high' }
        }
      },
      {
        data: { values: lines },
        mark: { type: 'line', strokeJoin: 'round', point: true },
        encoding: {
          ...colours(input),
          detail: [
            { field: 'run', type: 'nominal' },
            { field: 'piece', type: 'nominal' }
          ],
          tooltip: [{ field: 'label', type: 'nominal', title: input.words.run }]
        }
      },
      {
        data: { values: ticks },
        mark: {
          type: 'text',
          align: 'right',
          dx: -8,
          color: muted,
          fontSize: fontSize - 1
        },
        encoding: { text: { field: 'text', type: 'nominal' } }
      },
      {
        data: { values: titles },
        mark: { type: 'text', dy: -16, color: text, fontSize, limit: 110 },
        encoding: { text: { field: 'name', type: 'nominal' } }
      }
    ]
  };
}

/** Whose value it is: its group in the legend, and what shows under the pointer. */
function who(input: IDrawn, id: string): JSONObject {
  const index = input.runs.findIndex(run => run.id === id);
  const parameters = input.runs[index]?.parameters ?? {};
  const isNamed = index >= 0 && index < MAX_NAMED;
  const label = labelOf(input, id, parameters);
  return { run: id, label, group: isNamed ? label : input.words.others };
}

function labelOf(
  input: IDrawn,
  id: string,
  parameters: RunView['parameters']
): string {
  return `${id} ${formatParameters(parameters, input.names)}`.trim();
}

function colours(input: IDrawn): JSONObject {
  const named = input.runs
    .slice(0, MAX_NAMED)
    .map(run => labelOf(input, run.id, run.parameters));
  const hasMore = input.runs.length > MAX_NAMED;
  const domain = hasMore ? [...named, input.words.others] : named;
  const range = domain.map((_, index) =>
    index < MAX_NAMED ? (COLOURS[index] ?? '') : input.palette.other
  );
  const legend = {
    title: null,
    orient: 'bottom',
    columns: 3,
    labelLimit: 260,
    symbolType: 'stroke',
    symbolSize: 300,
    symbolStrokeWidth: 2
  };
  return {
    color: {
      field: 'group',
      type: 'nominal',
      scale: { domain, range },
      legend
    },
    strokeDash: {
      field: 'group',
      type: 'nominal',
      scale: {
        domain,
        range: domain.map((_, index) => DASHES[index % DASHES.length] ?? [1, 0])
      },
      legend
    },
    opacity: {
      condition: {
        test: { field: 'group', equal: input.words.others },
        value: 0.35
      },
      value: 1
    },
    detail: { field: 'run', type: 'nominal' }
  };
}

function frame(input: IDrawn): JSONObject {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    width: input.width,
    height: input.height,
    autosize: { type: 'fit', contains: 'padding' },
    config: chartConfig(input.palette)
  };
}
