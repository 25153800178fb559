/** A tab of compared runs: what differs among them, one metric's curves, and two notebooks. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  CellsView,
  CompareRow,
  CompareView,
  CurvesView,
  RunView
} from '../api/types';
import type { IProblem } from '../projects/problem';
import { messageOf, toProblem } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';
import { isFinished } from '../status';
import type { ICompareState, Part } from './state';

/** While runs go on, they are fetched at most this often, in ms. */
const PACE = 2000;

/** A part that is fetched when it is looked at. */
interface IFetched<T> {
  readonly key: string;
  readonly found: T | null;
  readonly problem: string | null;
}

export class CompareModel implements IDisposable {
  constructor(
    private readonly lease: ILease,
    /** Ids of runs and sweeps. */
    readonly ids: readonly string[],
    state: ICompareState
  ) {
    this.store = lease.store;
    this._state = state;
    this.store.changed.connect(this._onStore, this);
    void this.refresh();
  }

  readonly store: ProjectStore;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): ICompareState {
    return this._state;
  }

  get part(): Part {
    return this.state.part;
  }

  get view(): CompareView | null {
    return this._view;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  get runs(): readonly RunView[] {
    return this._view?.runs ?? [];
  }

  /** The parameters and metrics that differ. */
  get differing(): readonly CompareRow[] {
    const view = this._view;
    return view
      ? [...view.parameters, ...view.metrics].filter(row => row.differs)
      : [];
  }

  get metrics(): readonly string[] {
    return this._view?.metrics.map(row => row.name) ?? [];
  }

  /** The metric whose curves are drawn. */
  get metric(): string | null {
    const { metrics } = this;
    const { metric } = this._state;
    return metric !== null && metrics.includes(metric)
      ? metric
      : (metrics[0] ?? null);
  }

  get curves(): CurvesView | null {
    return this._curves?.key === this._curvesKey ? this._curves.found : null;
  }

  get curvesProblem(): string | null {
    return this._curves?.problem ?? null;
  }

  /** The runs whose notebooks are compared: those that were chosen, or the first two. */
  get pair(): readonly [string, string] | null {
    const ids = this.runs.flatMap(run => (run.output === null ? [] : run.id));
    const left = ids.find(id => id === this._state.left) ?? ids[0];
    const right =
      ids.find(id => id === this._state.right && id !== left) ??
      ids.find(id => id !== left);
    return left !== undefined && right !== undefined ? [left, right] : null;
  }

  get cells(): CellsView | null {
    return this._cells?.key === this._cellsKey ? this._cells.found : null;
  }

  get cellsProblem(): string | null {
    return this._cells?.key === this._cellsKey ? this._cells.problem : null;
  }

  show(part: Part): void {
    this._change({ part });
  }

  draw(metric: string): void {
    this._change({ metric });
  }

  /** Compare the notebooks of these runs. */
  compareCells(left: string, right: string): void {
    this._change({ left, right });
  }

  /** Fetch everything again. */
  async refresh(): Promise<void> {
    const { client, project } = this.store;
    try {
      this._view = await client.comparing.runs(project.path, this.ids);
      this._problem = null;
    } catch (error) {
      this._problem = toProblem(error, this._problem);
    }
    this._curves = null;
    this._fetch();
    this._emit();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._timer);
    this.store.changed.disconnect(this._onStore, this);
    this.lease.dispose();
    Signal.clearData(this);
  }

  private get _curvesKey(): string {
    return this.metric ?? '';
  }

  private get _cellsKey(): string {
    return this.pair?.join(' ') ?? '';
  }

  private _change(given: Partial<ICompareState>): void {
    this._state = { ...this._state, ...given };
    this._fetch();
    this._changed.emit();
    this._stateChanged.emit();
  }

  /** Fetch what the part that is shown lacks. */
  private _fetch(): void {
    const { client, project } = this.store;
    const { metric, pair } = this;
    const { part } = this._state;
    if (part === 'curves' && metric !== null) {
      const key = this._curvesKey;
      if (this._curves?.key !== key) {
        this._curves = { key, found: null, problem: null };
        const ids = this.runs.map(run => run.id);
        void settle(client.comparing.curves(project.path, ids, metric)).then(
          ({ found, problem }) => {
            if (this._curves?.key === key) {
              this._curves = { key, found, problem };
              this._emit();
            }
          }
        );
      }
    }
    if (part === 'cells' && pair) {
      const key = this._cellsKey;
      if (this._cells?.key !== key) {
        this._cells = { key, found: null, problem: null };
        void settle(client.comparing.cells(project.path, ...pair)).then(
          ({ found, problem }) => {
            if (this._cells?.key === key) {
              this._cells = { key, found, problem };
              this._emit();
            }
          }
        );
      }
    }
  }

  /** Runs that go on have new values. */
  private _onStore(): void {
    if (this.runs.some(run => !isFinished(run.status))) {
      this._timer ??= setTimeout(() => {
        this._timer = undefined;
        void this.refresh();
      }, PACE);
    }
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private _state: ICompareState;
  private _view: CompareView | null = null;
  private _problem: IProblem | null = null;
  private _curves: IFetched<CurvesView> | null = null;
  private _cells: IFetched<CellsView> | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

/** Wait for an answer, or for why there is none. */
async function settle<T>(
  request: Promise<T>
): Promise<{ readonly found: T | null; readonly problem: string | null }> {
  try {
    return { found: await request, problem: null };
  } catch (error) {
    return { found: null, problem: messageOf(error) };
  }
}
