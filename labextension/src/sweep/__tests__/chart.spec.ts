import { describe, expect, it } from 'vitest';

import { aRun, aSweep } from '../../__tests__/samples';
import type { MetricSeries, RunView } from '../../api/types';
import type { IChartInput } from '../chart';
import { buildChart, MAX_LINES } from '../chart';

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
const WORDS = {
  best: 'best run',
  selected: 'selected run',
  other: 'other runs',
  step: 'step',
  run: 'run'
};

interface IChart {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
  readonly encoding: Record<string, Record<string, unknown>>;
  readonly layer: readonly { readonly mark: Record<string, unknown> }[];
}

function series(run: string, values: readonly unknown[]): MetricSeries {
  return {
    run_id: run,
    key: 'auc',
    steps: values.map((_, index) => index * 10),
    values,
    times: values.map(() => 0)
  };
}

function chart(given: Partial<IChartInput>): IChart | null {
  return buildChart({
    sweep: aSweep(),
    runs: [],
    series: [],
    metric: 'auc',
    axis: 'depth',
    selected: null,
    width: 400,
    height: 300,
    palette: PALETTE,
    words: WORDS,
    ...given
  }) as unknown as IChart | null;
}

/** Runs with these values of the parameter `depth`, each with a value of the metric. */
function runs(...values: readonly unknown[]): RunView[] {
  return values.map((depth, index) =>
    aRun({
      id: `s1-${String(index + 1)}`,
      parameters: { depth },
      metrics: { auc: 0.5 + index / 10 }
    })
  );
}

describe('values by step', () => {
  it('become lines over the steps', () => {
    const drawn = chart({
      runs: runs(3, 5),
      series: [series('s1-1', [0.5, 0.6]), series('s1-2', [0.4, 0.7])]
    });
    expect(drawn?.layer[0]?.mark.type).toBe('line');
    expect(drawn?.encoding.x).toMatchObject({ title: 'step' });
    expect(drawn?.data.values).toHaveLength(4);
    expect(drawn?.data.values[1]).toMatchObject({ x: 10, y: 0.6 });
  });

  it('mark the best and the selected run, on top of the others', () => {
    const best = { run_id: 's1-2', value: 0.7, parameters: { depth: 5 } };
    const drawn = chart({
      sweep: aSweep({ best }),
      runs: runs(3, 5, 7),
      selected: 's1-1',
      series: ['s1-1', 's1-2', 's1-3'].map(run => series(run, [0.1, 0.2]))
    });
    const groups = drawn?.data.values.map(row => row.group);
    expect(groups).toEqual([
      'selected run',
      'selected run',
      'best run',
      'best run',
      'other runs',
      'other runs'
    ]);
    expect(drawn?.encoding.color).toMatchObject({
      scale: {
        domain: ['other runs', 'selected run', 'best run'],
        range: ['grey', 'orange', 'blue']
      }
    });
  });

  it('leave out what is not finite', () => {
    const drawn = chart({
      runs: runs(3),
      series: [series('s1-1', [0.5, { $float: 'nan' }, 0.6])]
    });
    expect(drawn?.data.values.map(row => row.x)).toEqual([0, 20]);
  });

  it('are thinned out where there are very many, but keep their end', () => {
    const many = Array.from({ length: 5000 }, (_, index) => index);
    const drawn = chart({ runs: runs(3), series: [series('s1-1', many)] });
    expect(drawn?.data.values.length).toBeLessThan(500);
    expect(drawn?.data.values.at(-1)).toMatchObject({ y: 4999 });
  });

  it('are those of the best runs where there are too many', () => {
    const all = runs(...Array.from({ length: 150 }, (_, index) => index));
    const drawn = chart({
      runs: all,
      selected: 's1-1',
      series: all.map(run => series(run.id, [0, run.index]))
    });
    const shown = new Set(drawn?.data.values.map(row => row.run));
    expect(shown.size).toBe(MAX_LINES + 1);
    expect(shown).toContain('s1-150');
    expect(shown).toContain('s1-1');
    expect(shown).not.toContain('s1-2');
  });
});

describe('a metric with one value per run', () => {
  it('is drawn against the parameter that varies', () => {
    const drawn = chart({
      runs: runs(3, 5),
      series: [series('s1-1', [0.5]), series('s1-2', [0.6])]
    });
    expect(drawn?.layer[0]?.mark.type).toBe('point');
    expect(drawn?.encoding.x).toMatchObject({
      title: 'depth',
      type: 'quantitative'
    });
  });

  it('is drawn against the number of the run where nothing varies', () => {
    const drawn = chart({ runs: runs(3), axis: null });
    expect(drawn?.encoding.x).toMatchObject({ title: '#' });
    expect(drawn?.data.values[0]).toMatchObject({ x: 1 });
  });

  it('names the few values of a parameter on the axis', () => {
    const drawn = chart({ runs: runs(5, 3, 5) });
    expect(drawn?.encoding.x?.axis).toMatchObject({ values: [3, 5] });
    const many = Array.from({ length: 20 }, (_, index) => index);
    const full = chart({ runs: runs(...many) });
    expect(full?.encoding.x?.axis).not.toHaveProperty('values');
  });

  it('has a logarithmic axis where a parameter spans orders of magnitude', () => {
    const drawn = chart({ runs: runs(0.001, 0.1) });
    expect(drawn?.encoding.x).toMatchObject({ scale: { type: 'log' } });
    const near = chart({ runs: runs(0, 100) });
    expect(near?.encoding.x?.scale).not.toHaveProperty('type');
  });

  it('has names on the axis where the parameter is a text', () => {
    const drawn = chart({ runs: runs('rf', 'gbm') });
    expect(drawn?.encoding.x).toMatchObject({ type: 'nominal' });
  });

  it('is no chart while there is no value', () => {
    expect(chart({ runs: [aRun()] })).toBeNull();
  });
});
