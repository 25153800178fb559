import { describe, expect, it } from 'vitest';

import { aRun, aSweep } from '../../__tests__/samples';
import type { RunView } from '../../api/types';
import { buildColumns, nextSort, sortRuns } from '../columns';
import { NO_STATE, readState } from '../state';

const SWEEP = aSweep({ space: { depth: '3,5', seed: '1' } });
const RUNS = [
  aRun({
    id: 's1-1',
    status: 'succeeded',
    parameters: { depth: 10, seed: 1 },
    metrics: { loss: 0.4, auc: 0.6 },
    value: 0.6,
    duration: 3
  }),
  aRun({
    id: 's1-2',
    status: 'failed',
    parameters: { depth: 9, seed: 1 },
    error: 'ValueError: no',
    duration: 1
  }),
  aRun({
    id: 's1-3',
    status: 'succeeded',
    parameters: { depth: 3, seed: 1 },
    metrics: { loss: 0.2, auc: { $float: 'nan' } },
    value: { $float: 'nan' },
    duration: 2
  })
];

describe('columns', () => {
  it('are what varies, the ranking metric first among metrics, and errors', () => {
    expect(buildColumns(SWEEP, RUNS).map(column => column.key)).toEqual([
      'index',
      'status',
      'parameter:depth',
      'metric:auc',
      'metric:loss',
      'duration',
      'error'
    ]);
  });

  it('have no errors where there are none', () => {
    const columns = buildColumns(SWEEP, [RUNS[0] ?? aRun()]);
    expect(columns.map(column => column.kind)).not.toContain('error');
  });
});

describe('the column of environments', () => {
  const others = aRun({
    id: 's1-4',
    environment: 'differs',
    differences: 'requirements.txt: numpy 2.1 instead of 2.0'
  });
  const same = aRun({ id: 's1-5', environment: 'same' });

  it('is there where a run has other packages than the lock', () => {
    const keys = (runs: readonly RunView[]): string[] =>
      buildColumns(SWEEP, runs).map(column => column.key);
    expect(keys([others, same])).toContain('environment');
    expect(keys([same, aRun()])).not.toContain('environment');
  });

  it('sorts by whether they differ', () => {
    const runs = [same, others];
    const sort = { key: 'environment', isDescending: false };
    const sorted = sortRuns(runs, buildColumns(SWEEP, runs), sort);
    expect(sorted).toEqual([others, same]);
  });
});

describe('sorting', () => {
  const columns = buildColumns(SWEEP, RUNS);
  const order = (key: string, isDescending: boolean): number[] =>
    sortRuns(RUNS, columns, { key, isDescending }).map(run => run.index);

  it('orders numbers by size', () => {
    expect(order('parameter:depth', false)).toEqual([3, 2, 1]);
    expect(order('parameter:depth', true)).toEqual([1, 2, 3]);
  });

  it('puts what is missing and NaN last in both directions', () => {
    expect(order('metric:auc', false)).toEqual([1, 3, 2]);
    expect(order('metric:auc', true)[0]).toBe(1);
  });

  it('goes back to failures first for a column that is not there', () => {
    expect(order('metric:gone', true)).toEqual([2, 1, 3]);
    expect(sortRuns(RUNS, columns, null).map(run => run.index)).toEqual([
      2, 1, 3
    ]);
  });

  it('begins with the useful direction, turns round, then ends', () => {
    const metric = { key: 'metric:auc', kind: 'metric', name: 'auc' } as const;
    const first = nextSort(null, metric, true);
    expect(first).toEqual({ key: 'metric:auc', isDescending: true });
    const second = nextSort(first, metric, true);
    expect(second).toEqual({ key: 'metric:auc', isDescending: false });
    expect(nextSort(second, metric, true)).toBeNull();
    expect(nextSort(null, metric, false)?.isDescending).toBe(false);
  });
});

describe('a saved state', () => {
  it('is read back', () => {
    const state = {
      sort: { key: 'duration', isDescending: true },
      metric: 'loss',
      axis: 'depth',
      where: 'metrics.auc > 0.7'
    };
    expect(readState(JSON.parse(JSON.stringify(state)))).toEqual(state);
  });

  it.each([[null], ['x'], [{ sort: { key: 3 }, metric: {} }], [[1]]])(
    'is as in a new tab where it is %j',
    saved => {
      expect(readState(saved)).toEqual(NO_STATE);
    }
  );
});
