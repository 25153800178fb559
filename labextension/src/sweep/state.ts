/** What a sweep's tab remembers. */
import type { ISort } from './columns';

export interface ISweepState {
  readonly sort: ISort | null;
  /** The charted metric; null means the one that ranks the runs. */
  readonly metric: string | null;
  /** The parameter against which single values are drawn; null means the first that varies. */
  readonly axis: string | null;
  /** What the runs are searched by; empty to list them all. */
  readonly where: string;
}

export const NO_STATE: ISweepState = {
  sort: null,
  metric: null,
  axis: null,
  where: ''
};

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): ISweepState {
  const { sort, metric, axis, where } = record(saved);
  const { key, isDescending } = record(sort);
  return {
    sort:
      typeof key === 'string' && typeof isDescending === 'boolean'
        ? { key, isDescending }
        : null,
    metric: typeof metric === 'string' ? metric : null,
    axis: typeof axis === 'string' ? axis : null,
    where: typeof where === 'string' ? where : ''
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
