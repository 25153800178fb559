import { describe, expect, it } from 'vitest';

import { aRun, aSweep } from '../../__tests__/samples';
import type { RunView, SweepView } from '../../api/types';
import type { Row } from '../rows';
import { buildRows, orderRuns } from '../rows';

const RUNS = [
  aRun({ id: 's1-1', status: 'succeeded', value: 0.6, parameters: { d: 3 } }),
  aRun({ id: 's1-2', status: 'running', parameters: { d: 5 } }),
  aRun({ id: 's1-3', status: 'succeeded', value: 0.7, parameters: { d: 7 } }),
  aRun({
    id: 's1-4',
    status: 'failed',
    error: 'ValueError: bad lr',
    parameters: { d: 9 }
  }),
  aRun({ id: 's1-5', status: 'queued', parameters: { d: 11 } })
];

interface IGiven {
  readonly sweeps?: readonly SweepView[];
  readonly runs?: readonly RunView[] | null;
  readonly isExpanded?: boolean;
  readonly filter?: string;
  readonly held?: readonly string[] | null;
}

function rows(given: IGiven = {}): readonly Row[] {
  return buildRows({
    sweeps: given.sweeps ?? [aSweep({ space: { d: '3..11..2' } })],
    runsOf: () => (given.runs === undefined ? RUNS : given.runs),
    isExpanded: () => given.isExpanded ?? true,
    filter: given.filter ?? '',
    held: given.held ?? null
  });
}
const keys = (given: IGiven = {}): string[] => rows(given).map(row => row.key);

describe('the order of runs', () => {
  it('puts failures first, then what runs, then the best', () => {
    expect(orderRuns(RUNS).map(run => run.id)).toEqual([
      's1-4',
      's1-2',
      's1-3',
      's1-1',
      's1-5'
    ]);
  });

  it('puts the lowest first where low is good, and missing values last', () => {
    const low = [0.3, null, 0.1].map((value, index) =>
      aRun({
        id: `s1-${String(index + 1)}`,
        status: 'succeeded',
        maximize: false,
        value
      })
    );
    expect(orderRuns(low).map(run => run.index)).toEqual([3, 1, 2]);
  });

  it('does not take NaN for the best', () => {
    const runs = [
      aRun({ id: 's1-1', status: 'succeeded', value: { $float: 'nan' } }),
      aRun({ id: 's1-2', status: 'succeeded', value: 0.1 })
    ];
    expect(orderRuns(runs).map(run => run.index)).toEqual([2, 1]);
  });
});

describe('rows', () => {
  it('lists the runs of an expanded sweep, the waiting ones as a number', () => {
    expect(keys()).toEqual(['s1', 's1-4', 's1-2', 's1-3', 's1-1', 's1/queued']);
    expect(rows().at(-1)).toMatchObject({ kind: 'queued', count: 1 });
  });

  it('lists what waits for another try', () => {
    const waiting = aRun({
      id: 's1-6',
      status: 'queued',
      not_before: '2026-03-01T12:01:12Z'
    });
    const listed = rows({ runs: [...RUNS, waiting] });
    expect(listed.map(row => row.key)).toContain('s1-6');
    expect(listed.at(-1)).toMatchObject({ kind: 'queued', count: 1 });
  });

  it('lists nothing below a sweep that is folded or not known yet', () => {
    expect(keys({ isExpanded: false })).toEqual(['s1']);
    expect(keys({ runs: null })).toEqual(['s1']);
  });

  it('shows a single run as one row with what is known of the run', () => {
    const [row, ...rest] = rows({
      sweeps: [aSweep({ kind: 'run', total: 1 })],
      runs: [aRun({ cell: 3 })]
    });
    expect(rest).toEqual([]);
    expect(row).toMatchObject({ isExpanded: null, run: { cell: 3 } });
  });

  it('stands for what does not fit by a row that leads to all', () => {
    const runs = Array.from({ length: 40 }, (_, index) =>
      aRun({ id: `s1-${String(index + 1)}`, status: 'succeeded', value: index })
    );
    const listed = rows({ runs });
    expect(listed.at(-1)).toMatchObject({ kind: 'more', count: 32 });
    expect(listed[1]).toMatchObject({ key: 's1-40' });
  });

  it('names long parameters once, in a legend', () => {
    const runs = RUNS.map(run => ({
      ...run,
      parameters: { learning_rate: run.index }
    }));
    const listed = rows({ runs });
    expect(listed[1]).toMatchObject({
      kind: 'legend',
      names: ['learning_rate']
    });
    expect(listed[2]).toMatchObject({ kind: 'run', hasLegend: true });
  });
});

describe('the filter', () => {
  it.each(['BAD LR', 'd=9', 'failed'])('finds the run with %s', filter => {
    expect(keys({ filter })).toEqual(['s1', 's1-4']);
  });

  it('shows all runs of a sweep that matches by itself', () => {
    expect(keys({ filter: 'train' })).toHaveLength(6);
  });

  it('leaves out sweeps without a match', () => {
    expect(keys({ filter: 'report' })).toEqual([]);
  });
});

describe('a held order', () => {
  it('stays, and what is new follows', () => {
    const held = keys();
    const changed = RUNS.map(run =>
      run.index === 2 ? { ...run, status: 'failed' as const } : run
    );
    const fresh = aRun({ id: 's1-6', status: 'failed', parameters: { d: 1 } });
    expect(keys({ runs: [...changed, fresh], held })).toEqual([
      's1',
      's1-4',
      's1-2',
      's1-3',
      's1-1',
      's1-6',
      's1/queued'
    ]);
  });

  it('leaves out what has gone', () => {
    expect(keys({ runs: RUNS.slice(2), held: keys() })).toEqual([
      's1',
      's1-4',
      's1-3',
      's1/queued'
    ]);
  });
});
