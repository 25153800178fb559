/** The rows of the section of runs: sweeps, and what is shown of an expanded one. */
import type { RunView, SweepView } from '../api/types';
import { compareValues, decode } from '../values';
import { formatParameters, variedNames } from '../format';

/** At most so many runs of a state are listed below a sweep; its tab shows all. */
const SHOWN = 8;
/** Names that are longer than this together are written once, in a legend. */
const SHORT = 12;

export interface ISweepRow {
  readonly kind: 'sweep';
  readonly key: string;
  readonly sweep: SweepView;
  /** The one run, if there is only one and it is known. */
  readonly run: RunView | null;
  /** Null if there is nothing below it. */
  readonly isExpanded: boolean | null;
}

export interface IRunRow {
  readonly kind: 'run';
  readonly key: string;
  readonly sweep: SweepView;
  readonly run: RunView;
  /** The parameters that tell it from its siblings. */
  readonly names: readonly string[];
  /** Whether a legend above names the parameters. */
  readonly hasLegend: boolean;
}

/** Names the parameters whose values the runs below show, where the names are long. */
export interface ILegendRow {
  readonly kind: 'legend';
  readonly key: string;
  readonly sweep: SweepView;
  readonly names: readonly string[];
}

/** Stands for runs that are not listed: those that wait, or those beyond what fits. */
export interface IRestRow {
  readonly kind: 'queued' | 'more';
  readonly key: string;
  readonly sweep: SweepView;
  readonly count: number;
}

export type Row = ISweepRow | ILegendRow | IRunRow | IRestRow;

export interface IRowsInput {
  readonly sweeps: readonly SweepView[];
  readonly runsOf: (sweep: string) => readonly RunView[] | null;
  readonly isExpanded: (sweep: string) => boolean;
  readonly filter: string;
  /** The order of keys to keep, so that nothing moves under the pointer; null sorts afresh. */
  readonly held: readonly string[] | null;
}

const RANK = { failed: 0, running: 1, succeeded: 2, cancelled: 3, queued: 4 };

/** Whether it is shown as one row, without runs below it. */
export function isSingle(sweep: SweepView): boolean {
  return sweep.kind !== 'sweep';
}

/** Return the rows from top to bottom. */
export function buildRows(input: IRowsInput): readonly Row[] {
  const filter = input.filter.trim().toLowerCase();
  const held = new Map(input.held?.map((key, index) => [key, index]));
  const sweeps = input.sweeps.filter(sweep => {
    const runs = input.runsOf(sweep.id) ?? [];
    return (
      matches(sweepText(sweep), filter) ||
      runs.some(run => matches(runText(run), filter))
    );
  });
  return settle(sweeps, sweep => sweep.id, held).flatMap(sweep => [
    sweepRow(sweep, input),
    ...(!isSingle(sweep) && input.isExpanded(sweep.id)
      ? runRows(sweep, input.runsOf(sweep.id), filter, held)
      : [])
  ]);
}

/** Order runs: failures, what runs, then the rest with the best first. */
export function orderRuns(runs: readonly RunView[]): readonly RunView[] {
  return [...runs].sort(
    (left, right) =>
      RANK[left.status] - RANK[right.status] ||
      compareByMetric(left, right) ||
      left.index - right.index
  );
}

function sweepRow(sweep: SweepView, input: IRowsInput): ISweepRow {
  return {
    kind: 'sweep',
    key: sweep.id,
    sweep,
    run: isSingle(sweep) ? (input.runsOf(sweep.id)?.[0] ?? null) : null,
    isExpanded: isSingle(sweep) ? null : input.isExpanded(sweep.id)
  };
}

function runRows(
  sweep: SweepView,
  runs: readonly RunView[] | null,
  filter: string,
  held: ReadonlyMap<string, number>
): readonly Row[] {
  if (!runs) {
    return [];
  }
  const names = variedNames(sweep, runs);
  const ofSweep = matches(sweepText(sweep), filter);
  const found = runs.filter(run => ofSweep || matches(runText(run), filter));
  const ordered = settle(
    orderRuns(found).filter(isListed),
    run => run.id,
    held
  );
  const seen = new Map<string, number>();
  const listed = ordered.filter(run => {
    const count = (seen.get(run.status) ?? 0) + 1;
    seen.set(run.status, count);
    return count <= SHOWN;
  });
  const hasLegend = listed.length > 0 && names.join('').length > SHORT;
  const rows: Row[] = listed.map(run => ({
    kind: 'run',
    key: run.id,
    sweep,
    run,
    names,
    hasLegend
  }));
  if (hasLegend) {
    rows.unshift({ kind: 'legend', key: `${sweep.id}/legend`, sweep, names });
  }
  const queued = found.length - ordered.length;
  if (queued > 0) {
    const key = `${sweep.id}/queued`;
    rows.push({ kind: 'queued', key, sweep, count: queued });
  }
  if (listed.length < ordered.length) {
    const count = ordered.length - listed.length;
    rows.push({ kind: 'more', key: `${sweep.id}/more`, sweep, count });
  }
  return rows;
}

/** What only waits for its turn is counted, not listed. */
function isListed(run: RunView): boolean {
  return run.status !== 'queued' || run.not_before !== null;
}

/** Keep the held order of what is held; the rest follows in its own order. */
function settle<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  held: ReadonlyMap<string, number>
): readonly T[] {
  if (held.size === 0) {
    return items;
  }
  const last = held.size;
  return [...items].sort(
    (left, right) =>
      (held.get(keyOf(left)) ?? last) - (held.get(keyOf(right)) ?? last)
  );
}

export function compareByMetric(left: RunView, right: RunView): number {
  const [a, b] = [decode(left.value), decode(right.value)];
  if (left.maximize && typeof a === 'number' && typeof b === 'number') {
    return compareValues(-a, -b);
  }
  return compareValues(a, b);
}

function sweepText(sweep: SweepView): string {
  const space = Object.entries(sweep.space).map(
    ([name, text]) => `${name}=${text}`
  );
  return [sweep.notebook, sweep.status, sweep.metric, ...space].join(' ');
}

function runText(run: RunView): string {
  return [run.status, run.error, formatParameters(run.parameters)].join(' ');
}

function matches(text: string, filter: string): boolean {
  return text.toLowerCase().includes(filter);
}
