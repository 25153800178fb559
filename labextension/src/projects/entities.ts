/** The sweeps, runs and models of a project as they were last seen. */
import type {
  ModelVersionView,
  RunView,
  StatusView,
  SweepView
} from '../api/types';
import { isFinished } from '../status';

/** Holds what was fetched. */
export class Entities {
  status: StatusView | null = null;
  models: readonly ModelVersionView[] = [];
  /** Whether there are older sweeps than those listed. */
  hasMore = false;

  /** The newest sweeps first. */
  get sweeps(): readonly SweepView[] {
    return this._order.flatMap(id => this._sweeps.get(id) ?? []);
  }

  sweep(id: string): SweepView | null {
    return this._sweeps.get(id) ?? null;
  }

  /** The runs of a sweep in its own order, or null while they are not known. */
  runs(sweep: string): readonly RunView[] | null {
    const runs = this._runs.get(sweep);
    return runs ? [...runs.values()] : null;
  }

  /** Take in the list of sweeps, newest first. Returns those that have ended since last seen. */
  list(sweeps: readonly SweepView[]): readonly SweepView[] {
    this._order = sweeps.map(sweep => sweep.id);
    return sweeps.filter(sweep => this.putSweep(sweep));
  }

  /** Take in a sweep. Returns whether it has ended since it was last seen. */
  putSweep(sweep: SweepView): boolean {
    const before = this._sweeps.get(sweep.id);
    this._sweeps.set(sweep.id, sweep);
    if (!this._order.includes(sweep.id) && this._isNewest(sweep)) {
      this._order = [sweep.id, ...this._order];
    }
    return (
      before !== undefined &&
      !isFinished(before.status) &&
      isFinished(sweep.status)
    );
  }

  putRuns(sweep: string, runs: readonly RunView[]): void {
    this._runs.set(sweep, new Map(runs.map(run => [run.id, run])));
  }

  putRun(sweep: string, run: RunView): void {
    this._runs.get(sweep)?.set(run.id, run);
  }

  removeSweep(id: string): void {
    this._sweeps.delete(id);
    this._runs.delete(id);
  }

  removeRun(sweep: string, id: string): void {
    this._runs.get(sweep)?.delete(id);
  }

  private _isNewest(sweep: SweepView): boolean {
    const first = this._sweeps.get(this._order[0] ?? '');
    return (
      !first || Date.parse(sweep.created_at) >= Date.parse(first.created_at)
    );
  }

  private _order: readonly string[] = [];
  private readonly _sweeps = new Map<string, SweepView>();
  private readonly _runs = new Map<string, Map<string, RunView>>();
}
