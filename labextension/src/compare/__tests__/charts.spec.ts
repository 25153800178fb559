import { describe, expect, it } from 'vitest';

import { aRun } from '../../__tests__/samples';
import type { CompareRow, RunView } from '../../api/types';
import type { IDrawn } from '../charts';
import { curvesSpec, MAX_NAMED, parallelSpec } from '../charts';
import { scaleOf } from '../scale';

const PALETTE = {
  text: 'black',
  muted: 'grey',
  grid: 'silver',
  best: 'blue',
  selected: 'orange',
  other: 'grey',
  font: 'sans-serif',
  fontSize: 13
};

interface IChart {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
  readonly encoding: Record<
    string,
    { readonly scale?: { readonly domain: readonly string[] } }
  >;
  readonly layer: readonly IChart[];
}

function runs(count: number): RunView[] {
  return Array.from({ length: count }, (_, index) =>
    aRun({ id: `s1-${String(index + 1)}`, parameters: { depth: index } })
  );
}

function drawn(given: readonly RunView[]): IDrawn {
  return {
    runs: given,
    names: ['depth'],
    width: 400,
    height: 300,
    palette: PALETTE,
    words: { step: 'step', run: 'run', others: 'other runs' }
  };
}

function line(run: string, values: readonly unknown[]): CurveSeries {
  const steps = values.map((_, index) => index * 10);
  return { run_id: run, key: 'loss', steps, values, times: steps };
}
type CurveSeries = Parameters<typeof curvesSpec>[2][number];

function row(
  name: string,
  values: Readonly<Record<string, unknown>>
): CompareRow {
  return { name, differs: true, values };
}

describe('curves', () => {
  it('lie over one another, each in its own colour', () => {
    const spec = curvesSpec(drawn(runs(2)), 'loss', [
      line('s1-1', [1, { $float: 'nan' }, 0.5]),
      line('s1-2', [2, 1])
    ]) as unknown as IChart;
    expect(spec.data.values).toEqual([
      { run: 's1-1', label: 's1-1 depth=0', group: 's1-1 depth=0', x: 0, y: 1 },
      {
        run: 's1-1',
        label: 's1-1 depth=0',
        group: 's1-1 depth=0',
        x: 20,
        y: 0.5
      },
      { run: 's1-2', label: 's1-2 depth=1', group: 's1-2 depth=1', x: 0, y: 2 },
      { run: 's1-2', label: 's1-2 depth=1', group: 's1-2 depth=1', x: 10, y: 1 }
    ]);
    expect(spec.encoding.color?.scale?.domain).toEqual([
      's1-1 depth=0',
      's1-2 depth=1'
    ]);
  });

  it('are grey beyond those that the legend names', () => {
    const many = runs(MAX_NAMED + 3);
    const series = many.map(run => line(run.id, [1, 2]));
    const spec = curvesSpec(drawn(many), 'loss', series) as unknown as IChart;
    const grey = spec.data.values.filter(each => each.group === 'other runs');
    expect(grey).toHaveLength(6);
    expect(spec.encoding.color?.scale?.domain.at(-1)).toBe('other runs');
  });

  it('are not drawn without a finite value', () => {
    const series = [line('s1-1', [{ $float: 'inf' }])];
    expect(curvesSpec(drawn(runs(1)), 'loss', series)).toBeNull();
  });
});

describe('parallel coordinates', () => {
  it('have a gap where a run lacks a value', () => {
    const spec = parallelSpec(drawn(runs(2)), [
      row('depth', { 's1-1': 1, 's1-2': 3 }),
      row('rate', { 's1-2': 0.5 }),
      row('auc', { 's1-1': 0.7, 's1-2': 0.9 })
    ]) as unknown as IChart;
    const lines = spec.layer[1]?.data.values.map(
      ({ run, piece, axis, position }) => [run, piece, axis, position]
    );
    expect(lines).toEqual([
      ['s1-1', 0, 0, 0],
      ['s1-1', 1, 2, 0],
      ['s1-2', 0, 0, 1],
      ['s1-2', 0, 1, 0.5],
      ['s1-2', 0, 2, 1]
    ]);
    expect(spec.layer[3]?.data.values.map(each => each.name)).toEqual([
      'depth',
      'rate',
      'auc'
    ]);
  });

  it('need two things that differ', () => {
    const one = [row('depth', { 's1-1': 1 })];
    expect(parallelSpec(drawn(runs(1)), one)).toBeNull();
  });
});

describe('scaleOf', () => {
  it.each([
    [
      [1, 2, 3],
      [0, 0.5, 1]
    ],
    [
      [1, 1],
      [0.5, 0.5]
    ],
    [
      ['a', 'b', 'a'],
      [0, 1, 0]
    ],
    [
      [true, 1],
      [0, 1]
    ],
    [
      [1, Infinity, 2],
      [0, null, 1]
    ],
    [
      [null, NaN],
      [null, null]
    ],
    [
      [-1e308, 0, 1e308],
      [0, 0.5, 1]
    ]
  ])('places %j at %j', (values, places) => {
    const scale = scaleOf(values);
    expect(values.map(scale.place)).toEqual(places);
  });

  it('is logarithmic over a wide range', () => {
    const scale = scaleOf([0.001, 0.01, 0.1]);
    expect(scale.place(0.01)).toBeCloseTo(0.5);
    expect(scale.ticks.map(tick => tick.text)).toEqual([
      '0.001',
      '0.01',
      '0.1'
    ]);
  });
});
