/** A run's tab: the run, its cells, and what the chosen one has put out. */
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  AttemptView,
  RunDetail,
  RunView,
  SweepView,
  TailView
} from '../api/types';
import { messageOf } from '../projects/problem';
import { ageOf, stamp } from '../projects/received';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';
import { isFinished } from '../status';
import type { ICell, ICellsInput, IWrittenCell } from './cells';
import { buildCells, currentCell, failedCell, writtenCells } from './cells';
import type { IRunState, Part } from './state';

/** How often a running run is asked what it prints, in ms; ever more rarely if that fails. */
const PACE = { interval: 1000, backoff: true, max: 30_000 };

export interface IRunModelOptions {
  /** The project's store; the model gives it back when it is disposed of. */
  readonly lease: ILease;
  readonly sweep: string;
  readonly id: string;
  readonly state: IRunState;
  /** Read a notebook by its path relative to the server's root. */
  readonly readNotebook: (path: string) => Promise<INotebookContent>;
  /** Whether somebody looks at it; if nobody does, it does not ask for the tail. */
  readonly isShown: () => boolean;
}

export class RunModel implements IDisposable {
  constructor(private readonly options: IRunModelOptions) {
    const { lease, sweep, id, state } = options;
    this.store = lease.store;
    this.id = id;
    this.sweepId = sweep;
    this._part = state.part;
    this._watch = this.store.watch(sweep);
    this.store.changed.connect(this._onStore, this);
    this._poll = new Poll({
      name: `jupyter-mlops:run-${id}`,
      factory: () => this._fetchTail(),
      frequency: PACE,
      standby: () =>
        this.run?.status === 'running' && options.isShown()
          ? 'when-hidden'
          : true
    });
    this._onStore();
  }

  readonly store: ProjectStore;
  readonly id: string;
  readonly sweepId: string;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): IRunState {
    return { part: this._part };
  }

  get sweep(): SweepView | null {
    return this.store.sweep(this.sweepId);
  }

  /** The run, or null while it is not known or after it was deleted. */
  get run(): RunView | null {
    const runs = this.store.runs(this.sweepId);
    return runs?.find(each => each.id === this.id) ?? null;
  }

  /** Whether there is no such run, or not any more. */
  get isGone(): boolean {
    const { store, sweepId } = this;
    const isKnown = store.runs(sweepId) !== null;
    return store.isMissing(sweepId) || (isKnown && this.run === null);
  }

  /** Everything else that is known of the run, or null while it is not known. */
  get detail(): RunDetail | null {
    return this._detail;
  }

  /** The last attempt. */
  get attempt(): AttemptView | null {
    return this._detail?.attempts.at(-1) ?? null;
  }

  /** What the run is printing, while it runs. */
  get tail(): TailView | null {
    return this.run?.status === 'running' ? this._tail : null;
  }

  /** Why the notebook or the details cannot be shown, or null. */
  get problem(): string | null {
    return this._problems.values().next().value ?? null;
  }

  /** Whether the notebook is being read. */
  get isReading(): boolean {
    return this._reading > 0;
  }

  get part(): Part {
    return this._part;
  }

  /** The timeline at a time in ms since the epoch. */
  cells(now: number): readonly ICell[] {
    const input = this._input(now);
    return input ? buildCells(input) : [];
  }

  /** The cell whose outputs are shown: what was chosen, else what matters most now. */
  get cell(): number | null {
    const input = this._input(Date.now());
    if (this._chosen !== null || input === null) {
      return this._chosen;
    }
    const { written } = input;
    const last = written.findLastIndex(each => each.outputs.length > 0) + 1;
    return (
      currentCell(input) ??
      failedCell(input) ??
      (last > 0 ? last : written.length > 0 ? 1 : null)
    );
  }

  /** Whether the chosen cell is being executed, so that its output is the tail. */
  get isLive(): boolean {
    const input = this._input(Date.now());
    return input !== null && this.cell === currentCell(input);
  }

  /** What is written of the chosen cell. */
  get written(): IWrittenCell | null {
    return this.cell === null ? null : (this._written[this.cell - 1] ?? null);
  }

  /** Show a cell's outputs. */
  choose(cell: number): void {
    this._chosen = cell;
    if (this.run?.status === 'running' && cell > this._writtenUpTo) {
      void this._read();
    }
    this._changed.emit();
  }

  show(part: Part): void {
    this._part = part;
    this._changed.emit();
    this._stateChanged.emit();
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.dispose();
    this.store.changed.disconnect(this._onStore, this);
    this._watch.dispose();
    this.options.lease.dispose();
    Signal.clearData(this);
  }

  private _onStore(): void {
    const { run } = this;
    // Between two cells nothing changes but the tail.
    const phase = run && `${run.status} ${run.attempts}`;
    if (run && phase !== this._phase) {
      this._phase = phase;
      this._chosen = null;
      this._tail = null;
      void this._refresh(run);
    }
    this._changed.emit();
  }

  private async _refresh(run: RunView): Promise<void> {
    if (run.status === 'running') {
      this._written = [];
      this._writtenUpTo = 0;
      void this._poll.refresh();
    }
    await Promise.all([
      this._attempt('details', async () => {
        const { client, project } = this.store;
        this._detail = await client.run(project.path, run.id);
      }),
      isFinished(run.status) ? this._read() : null
    ]);
  }

  /** Read the notebook as far as the run has come. */
  private async _read(): Promise<void> {
    const { store, run, tail } = this;
    const { path } = store.project;
    if (!run || (run.status !== 'running' && run.output === null)) {
      return;
    }
    this._reading += 1;
    const upTo = tail?.cell_times.length ?? 0;
    await this._attempt('notebook', async () => {
      const output =
        run.status === 'running'
          ? (await store.client.partialNotebook(path, run.id)).path
          : (run.output ?? '');
      const notebook = await this.options.readNotebook(
        PathExt.join(path, output)
      );
      this._written = writtenCells(notebook);
      this._writtenUpTo = upTo;
    });
    this._reading -= 1;
    this._emit();
  }

  private async _fetchTail(): Promise<void> {
    const { client, project } = this.store;
    const tail = await client.tail(project.path, this.id);
    stamp(tail);
    this._tail = tail;
    const hasNothing = this._written.length === 0 && !this.isReading;
    // The notebook begins to exist a moment after the run has begun.
    if (hasNothing && tail.cell !== null) {
      await this._read();
    }
    this._emit();
  }

  /** Do it, and keep what goes wrong until the next try. */
  private async _attempt(
    what: 'details' | 'notebook',
    work: () => Promise<void>
  ): Promise<void> {
    try {
      await work();
      this._problems.delete(what);
    } catch (error) {
      this._problems.set(what, messageOf(error));
    }
    this._emit();
  }

  private _emit(): void {
    if (!this.isDisposed) {
      this._changed.emit();
    }
  }

  private _input(now: number): ICellsInput | null {
    const { run, attempt, tail, _written: written } = this;
    const age = tail ? ageOf(tail, now) : 0;
    return run && { run, attempt, tail, age, written };
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _watch: IDisposable;
  private readonly _poll: Poll;
  private _part: Part;
  private _phase: string | null = null;
  private _detail: RunDetail | null = null;
  private _tail: TailView | null = null;
  private _written: readonly IWrittenCell[] = [];
  /** Number of cells that had ended when the notebook was read. */
  private _writtenUpTo = 0;
  private _reading = 0;
  private _chosen: number | null = null;
  private readonly _problems = new Map<string, string>();
}
