/** What is drawn of the values of a feature. */
import type { StatisticsView } from '../api/types';

export interface IBar {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Where it lies and how high it is, from 0 to 1. */
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

/** The bars from the smallest values on; none unless values are numbers. */
export function histogramBars({
  edges,
  counts
}: StatisticsView): readonly IBar[] {
  const [first] = edges;
  const last = edges.at(-1);
  const most = Math.max(...counts);
  if (first === undefined || last === undefined || !(most > 0)) {
    return [];
  }
  const span = last - first;
  return counts.map((count, index) => {
    const from = edges[index] ?? first;
    const to = edges[index + 1] ?? last;
    // A single value has no width, and is drawn as one bar.
    return {
      from,
      to,
      count,
      x: span > 0 ? (from - first) / span : index / counts.length,
      width: span > 0 ? (to - from) / span : 1 / counts.length,
      height: count / most
    };
  });
}

/** Where a value lies between the edges, from 0 to 1; null if it does not. */
export function placeOf(
  value: number | null,
  { edges }: StatisticsView
): number | null {
  const [first] = edges;
  const last = edges.at(-1);
  return value === null ||
    first === undefined ||
    last === undefined ||
    last <= first
    ? null
    : (value - first) / (last - first);
}

/** The bar with the most values. */
export function highestBar(bars: readonly IBar[]): IBar | null {
  return bars.reduce<IBar | null>(
    (best, bar) => (best === null || bar.count > best.count ? bar : best),
    null
  );
}
