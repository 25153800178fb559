/** A sweep's tab: its runs in order, and the values of one metric. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { MetricSeries, RunView, SweepView } from '../api/types';
import type { ILease } from '../projects/stores';
import type { ProjectStore } from '../projects/store';
import type { IColumn, ISort } from './columns';
import type { ISweepState } from './state';
import { RunSearch } from './search';
import { buildColumns, metricNames, nextSort, sortRuns } from './columns';

const NO_RUNS: readonly RunView[] = [];

/** A table, and what it was made of. */
interface ITable {
  readonly sweep: SweepView | null;
  readonly runs: readonly RunView[];
  readonly sort: ISort | null;
  readonly found: ReadonlySet<string> | null;
  readonly columns: readonly IColumn[];
  readonly listed: readonly RunView[];
  readonly sorted: readonly RunView[];
  readonly metrics: readonly string[];
}

/** New values are fetched at most this often, in ms. */
const PACE = 1500;

export class SweepModel implements IDisposable {
  constructor(
    private readonly lease: ILease,
    readonly id: string,
    state: ISweepState
  ) {
    this.store = lease.store;
    this._sort = state.sort;
    this._metric = state.metric;
    this._axis = state.axis;
    this.search = new RunSearch(this.store, id, state.where);
    this.search.changed.connect(this._onSearch, this);
    this.search.textChanged.connect(this._onText, this);
    this._watch = this.store.watch(id);
    this.store.changed.connect(this._onStore, this);
    this.store.measured.connect(this._onMeasured, this);
    this._onStore();
  }

  readonly store: ProjectStore;
  readonly search: RunSearch;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): ISweepState {
    return {
      sort: this._sort,
      metric: this._metric,
      axis: this._axis,
      where: this.search.text
    };
  }

  /** The sweep, or null while it is not known or after it was deleted. */
  get sweep(): SweepView | null {
    return this.store.sweep(this.id);
  }

  /** Whether there is no such sweep, or not any more. */
  get isGone(): boolean {
    return this.store.isMissing(this.id);
  }

  /** The runs in the sweep's own order. */
  get runs(): readonly RunView[] {
    return this.store.runs(this.id) ?? NO_RUNS;
  }

  get columns(): readonly IColumn[] {
    return this._table.columns;
  }

  /** The runs that were found, or all, in the sweep's own order. */
  get listed(): readonly RunView[] {
    return this._table.listed;
  }

  /** The same in the order of the table. */
  get sorted(): readonly RunView[] {
    return this._table.sorted;
  }

  get sort(): ISort | null {
    return this._sort;
  }

  /** The metrics to choose from. */
  get metrics(): readonly string[] {
    return this._table.metrics;
  }

  /** The metric that is charted. */
  get metric(): string | null {
    return this._metric ?? this.metrics[0] ?? null;
  }

  /** The values of the charted metric. */
  get series(): readonly MetricSeries[] {
    return this._series;
  }

  /** The parameters against which single values can be drawn; none where there are curves. */
  get axes(): readonly string[] {
    return this._series.some(each => each.values.length > 1)
      ? []
      : this.columns.flatMap(each =>
          each.kind === 'parameter' ? each.name : []
        );
  }

  /** The parameter against which single values are drawn, or null if none varies. */
  get axis(): string | null {
    const { axes, _axis: chosen } = this;
    return chosen !== null && axes.includes(chosen)
      ? chosen
      : (axes[0] ?? null);
  }

  /** The run that is marked in table and chart. */
  get selected(): string | null {
    return this._selected;
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
    this.store.measured.disconnect(this._onMeasured, this);
    this.search.dispose();
    this._watch.dispose();
    this.lease.dispose();
    Signal.clearData(this);
  }

  /** A click on a column's head. */
  sortBy(column: IColumn): void {
    const maximize = this.sweep?.maximize ?? true;
    this._sort = nextSort(this._sort, column, maximize);
    this._changed.emit();
    this._stateChanged.emit();
  }

  chart(metric: string): void {
    this._metric = metric;
    this._stateChanged.emit();
    this._fetchSeries();
  }

  /** Draw single values against this parameter. */
  drawAgainst(parameter: string): void {
    this._axis = parameter;
    this._changed.emit();
    this._stateChanged.emit();
  }

  select(run: string): void {
    this._selected = run;
    this._changed.emit();
  }

  /** What the views ask for again and again, worked out once for thousands of runs. */
  private get _table(): ITable {
    const { sweep, runs, sort } = this;
    const { found } = this.search;
    const known = this._known;
    if (
      known?.sweep === sweep &&
      known.runs === runs &&
      known.sort === sort &&
      known.found === found
    ) {
      return known;
    }
    const columns = sweep ? buildColumns(sweep, runs) : [];
    const listed = found ? runs.filter(({ id }) => found.has(id)) : runs;
    this._known = {
      sweep,
      runs,
      sort,
      found,
      columns,
      listed,
      sorted: sortRuns(listed, columns, sort),
      metrics: sweep ? metricNames(sweep, runs) : []
    };
    return this._known;
  }

  private _onSearch(): void {
    this._changed.emit();
  }

  private _onText(): void {
    this._stateChanged.emit();
  }

  private _onStore(): void {
    this.search.notice(this.runs);
    if (this.metric !== this._fetched) {
      this._fetchSeries();
    }
    this._changed.emit();
  }

  private _onMeasured(_: ProjectStore, sweep: string): void {
    if (sweep === this.id) {
      this._timer ??= setTimeout(() => {
        this._timer = undefined;
        this._fetchSeries();
      }, PACE);
    }
  }

  private _fetchSeries(): void {
    const { metric } = this;
    this._fetched = metric;
    if (metric === null || this._isDisposed) {
      return;
    }
    this.store.client
      .sweepMetrics(this.store.project.path, this.id, metric)
      .then(series => {
        if (metric === this.metric && !this._isDisposed) {
          this._series = series;
          this._changed.emit();
        }
      })
      .catch(() => {
        // The store tells what is wrong; its recovery fetches the values again.
        this._fetched = null;
      });
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _watch: IDisposable;
  private _sort: ISort | null;
  private _metric: string | null;
  private _axis: string | null;
  private _fetched: string | null = null;
  private _series: readonly MetricSeries[] = [];
  private _selected: string | null = null;
  private _known: ITable | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
