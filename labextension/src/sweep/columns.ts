/** The columns of a sweep's table, and its order. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunView, SweepView, Value } from '../api/types';
import { compareValues, decode } from '../values';
import { variedNames } from '../format';
import { orderRuns } from '../runs/rows';

export interface IColumn {
  /** Identifies the column, also in a saved state. */
  readonly key: string;
  readonly kind:
    | 'index'
    | 'status'
    | 'parameter'
    | 'metric'
    | 'duration'
    | 'environment'
    | 'error';
  /** The parameter's or metric's name. */
  readonly name: string;
}

export interface ISort {
  readonly key: string;
  readonly isDescending: boolean;
}

/** The columns: number, status, what varies, metrics with the ranking one first, duration,
 * and what only some sweeps have to tell. */
export function buildColumns(
  sweep: SweepView,
  runs: readonly RunView[]
): readonly IColumn[] {
  const column = (kind: IColumn['kind'], name = ''): IColumn => ({
    key: name ? `${kind}:${name}` : kind,
    kind,
    name
  });
  const isMixed = runs.some(run => run.environment === 'differs');
  const hasErrors = runs.some(run => run.error !== null);
  return [
    column('index'),
    column('status'),
    ...variedNames(sweep, runs).map(name => column('parameter', name)),
    ...metricNames(sweep, runs).map(name => column('metric', name)),
    column('duration'),
    ...(isMixed ? [column('environment')] : []),
    ...(hasErrors ? [column('error')] : [])
  ];
}

/** The metrics of a sweep, the one that ranks its runs first. */
export function metricNames(
  sweep: SweepView,
  runs: readonly RunView[]
): readonly string[] {
  const names = new Set<string>();
  runs.forEach(run =>
    Object.keys(run.metrics).forEach(name => names.add(name))
  );
  const others = [...names].filter(name => name !== sweep.metric).sort();
  return sweep.metric === null ? others : [sweep.metric, ...others];
}

/** What stands at the head of a column. */
export function columnLabel(column: IColumn, trans: TranslationBundle): string {
  switch (column.kind) {
    case 'index':
      return '#';
    case 'status':
      return trans.__('status');
    case 'duration':
      return trans.__('duration');
    case 'environment':
      return trans.__('environment');
    case 'error':
      return trans.__('error');
    default:
      return column.name;
  }
}

/** What a run has in a column. */
export function cellValue(run: RunView, column: IColumn): Value {
  switch (column.kind) {
    case 'index':
      return run.index;
    case 'status':
      return run.status;
    case 'parameter':
      return decode(run.parameters[column.name] ?? null);
    case 'metric':
      return decode(run.metrics[column.name] ?? null);
    case 'duration':
      return run.duration;
    case 'environment':
      return run.environment;
    case 'error':
      return run.error;
  }
}

/** Order runs by a column; what is missing comes last. Without one, failures and the best first. */
export function sortRuns(
  runs: readonly RunView[],
  columns: readonly IColumn[],
  sort: ISort | null
): readonly RunView[] {
  const column = columns.find(each => each.key === sort?.key);
  if (!sort || !column) {
    return orderRuns(runs);
  }
  const sign = sort.isDescending ? -1 : 1;
  return [...runs].sort((left, right) => {
    const [a, b] = [cellValue(left, column), cellValue(right, column)];
    const isMissing = isBlank(a) || isBlank(b);
    const order = compareValues(a, b) * (isMissing ? 1 : sign);
    return order || left.index - right.index;
  });
}

/** The order after a click on a column's head: the useful direction, the other, none. */
export function nextSort(
  sort: ISort | null,
  column: IColumn,
  maximize: boolean
): ISort | null {
  const first = column.kind === 'metric' && maximize;
  if (sort?.key !== column.key) {
    return { key: column.key, isDescending: first };
  }
  return sort.isDescending === first
    ? { key: column.key, isDescending: !first }
    : null;
}

function isBlank(value: Value): boolean {
  return value === null || (typeof value === 'number' && Number.isNaN(value));
}
