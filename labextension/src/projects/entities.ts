/** The sweeps, runs and models of a project as they were last seen. */
import type {
  ModelVersionView,
  RunView,
  StatusView,
  SweepView
} from '../api/types';
import { isFinished } from '../status';
import { stamp } from './received';

/** Holds what was fetched. */
export class Entities {
  status: StatusView | null = null;
  /** The model versions, or null while they are not known. */
  models: readonly ModelVersionView[] | null = null;
  /** Whether there are older sweeps than those listed. */
  hasMore = false;

  /** The newest sweeps first. */
  get sweeps(): readonly SweepView[] {
    return this._order.flatMap(id => this._sweeps.get(id) ?? []);
  }

  sweep(id: string): SweepView | null {
    return this._sweeps.get(id) ?? null;
  }

  /**
   * The runs of a sweep in its own order, or null while they are not known. It is the same array
   * until one of them has changed.
   */
  runs(sweep: string): readonly RunView[] | null {
    return this._runs.get(sweep) ?? null;
  }

  /** The list of sweeps is being asked for; what is taken in from now on is newer than it. */
  beginList(): void {
    this._newer.clear();
  }

  /** Take in the list of sweeps, newest first. Returns those that have ended since last seen. */
  list(sweeps: readonly SweepView[]): readonly SweepView[] {
    const listed = sweeps.map(sweep => sweep.id);
    const begun = this._order.filter(
      id => this._newer.has(id) && !listed.includes(id)
    );
    const old = sweeps.filter(sweep => !this._newer.has(sweep.id));
    this._order = [...begun, ...listed];
    return old.filter(sweep => this.putSweep(sweep));
  }

  /** Take in a sweep. Returns whether it has ended since it was last seen. */
  putSweep(sweep: SweepView): boolean {
    const before = this._sweeps.get(sweep.id);
    this._newer.add(sweep.id);
    this._missing.delete(sweep.id);
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
    stamp(...runs);
    this._runs.set(sweep, runs);
  }

  putRun(sweep: string, run: RunView): void {
    stamp(run);
    const runs = this._runs.get(sweep);
    if (runs) {
      const others = runs.filter(each => each.id !== run.id);
      const index = others.findIndex(each => each.index > run.index);
      this._runs.set(
        sweep,
        others.toSpliced(index < 0 ? others.length : index, 0, run)
      );
    }
  }

  /** Whether the server has said that there is no such sweep. */
  isMissing(sweep: string): boolean {
    return this._missing.has(sweep);
  }

  removeSweep(id: string): void {
    this._missing.add(id);
    this._sweeps.delete(id);
    this._runs.delete(id);
  }

  removeRun(sweep: string, id: string): void {
    const runs = this._runs.get(sweep);
    if (runs) {
      this._runs.set(
        sweep,
        runs.filter(run => run.id !== id)
      );
    }
  }

  private _isNewest(sweep: SweepView): boolean {
    const first = this._sweeps.get(this._order[0] ?? '');
    return (
      !first || Date.parse(sweep.created_at) >= Date.parse(first.created_at)
    );
  }

  private _order: readonly string[] = [];
  /** Sweeps that were taken in since the list was asked for. */
  private readonly _newer = new Set<string>();
  private readonly _missing = new Set<string>();
  private readonly _sweeps = new Map<string, SweepView>();
  private readonly _runs = new Map<string, readonly RunView[]>();
}
