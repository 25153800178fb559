/** What is known about one project, kept up to date. */
import type { Contents, Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal, IStream } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { MlopsClient } from '../api/client';
import { ChangeFeed } from '../api/events';
import type {
  EventView,
  ModelVersionView,
  ProjectView,
  RunView,
  StatusView,
  SweepView
} from '../api/types';
import { Entities } from './entities';
import { Fetcher, MANY } from './fetcher';
import { Gatherer } from './gatherer';
import type { Pending } from './pending';
import { MAX_PAUSE, setPace } from './polling';
import { PipelineStore } from './pipeline';
import type { IProblem } from './problem';
import { toProblem } from './problem';
import { Watches } from './watches';

/** Number of sweeps that are listed at first, and added by `loadMore`. */
export const PAGE = 50;

export interface IProjectStoreOptions {
  readonly project: ProjectView;
  readonly client: MlopsClient;
  /** Jupyter's events. */
  readonly stream: IStream<Event.IManager, Event.Emission>;
  /** What happens to files in JupyterLab. */
  readonly files: ISignal<unknown, Contents.IChangedArgs>;
  /** How often to ask for missed changes while something runs, in ms. */
  readonly interval: number;
  /** Whether somebody looks at it; if nobody does and nothing runs, it does not ask. */
  readonly isWanted: () => boolean;
}

/**
 * The sweeps, runs and models of a project, and its pipeline.
 *
 * Changes arrive as events that carry ids; they are gathered, and what they name is fetched. A poll
 * closes gaps, and takes over while no events arrive.
 */
export class ProjectStore implements IDisposable {
  constructor(options: IProjectStoreOptions) {
    this.project = options.project;
    this.client = options.client;
    this._interval = options.interval;
    const { path } = this.project;
    this.pipeline = new PipelineStore(options);
    this._fetcher = new Fetcher(this.client, path, this._entities, id =>
      this._watches.has(id)
    );
    this._feed = new ChangeFeed({
      project: path,
      stream: options.stream,
      fetchAfter: (after, limit) => this.client.events(path, after, limit)
    });
    this._feed.changed.connect(this._onEvents, this);
    this._feed.lost.connect(this._onLost, this);
    this._poll = new Poll({
      name: `jupyter-mlops:${path}`,
      factory: () => this._tick(),
      frequency: { interval: options.interval, backoff: true, max: MAX_PAUSE },
      standby: () =>
        this._watches.isWanted ||
        this.pipeline.isWatched ||
        this.isActive ||
        options.isWanted()
          ? 'when-hidden'
          : true
    });
  }

  readonly project: ProjectView;
  readonly client: MlopsClient;
  readonly pipeline: PipelineStore;

  /** Emitted when anything that the getters return has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The id of a sweep whose metrics have new values. */
  get measured(): ISignal<this, string> {
    return this._measured;
  }

  /** A sweep that ended while it was known here. */
  get finished(): ISignal<this, SweepView> {
    return this._finished;
  }

  /** What happens in the project, as it arrives. */
  get happened(): ISignal<unknown, readonly EventView[]> {
    return this._feed.changed;
  }

  get status(): StatusView | null {
    return this._entities.status;
  }

  /** The newest sweeps first. */
  get sweeps(): readonly SweepView[] {
    return this._entities.sweeps;
  }

  /** Whether there are older sweeps than those listed. */
  get hasMore(): boolean {
    return this._entities.hasMore;
  }

  /** The model versions, or null while they are not known. */
  get models(): readonly ModelVersionView[] | null {
    return this._entities.models;
  }

  /** Whether something runs or waits. */
  get isActive(): boolean {
    return (this.status?.running ?? 0) + (this.status?.queued ?? 0) > 0;
  }

  /** Whether the sweeps were fetched at least once. */
  get isLoaded(): boolean {
    return this._isLoaded;
  }

  /** Why the store is not up to date, or null. */
  get problem(): IProblem | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.dispose();
    this._feed.dispose();
    this._gatherer.dispose();
    this.pipeline.dispose();
    Signal.clearData(this);
  }

  sweep(id: string): SweepView | null {
    return this._entities.sweep(id);
  }

  /** Whether the server has said that there is no such sweep. */
  isMissing(sweep: string): boolean {
    return this._entities.isMissing(sweep);
  }

  /** The runs of a sweep in its own order, or null while they are not known. */
  runs(sweep: string): readonly RunView[] | null {
    return this._entities.runs(sweep);
  }

  /** Keep a sweep's runs up to date until the result is disposed of. */
  watch(sweep: string): IDisposable {
    const isKnown = this._watches.has(sweep) && this.runs(sweep) !== null;
    const watch = this._watches.add(sweep);
    if (!isKnown) {
      void this._attempt(() => this._fetcher.sweep(sweep, null));
    }
    return watch;
  }

  /** Keep the lists up to date until the result is disposed of, also while no panel is shown. */
  want(): IDisposable {
    if (!this._isLoaded) {
      void this.refresh();
    }
    return this._watches.want();
  }

  /** Fetch everything again, now. */
  async refresh(): Promise<void> {
    this._isStale = true;
    await this._poll.refresh();
  }

  /** List older sweeps too. */
  loadMore(): void {
    this._limit += PAGE;
    void this._attempt(() => this._fetchAll());
  }

  /** Take in a sweep that the server has just answered with. */
  put(sweep: SweepView): void {
    this._entities.putSweep(sweep);
    this._changed.emit();
  }

  /** Ask for what a request of ours has changed, in case that events do not arrive. */
  catchUp(): void {
    void this._attempt(() => this._feed.heal().then(() => []));
  }

  private async _tick(): Promise<void> {
    try {
      if (this._isStale) {
        this._succeed(await this._fetchAll());
      } else {
        await this._feed.heal();
        await this._fetcher.status();
        this._succeed([]);
      }
    } catch (error) {
      this._fail(error);
      throw error;
    }
  }

  private async _fetchAll(): Promise<readonly SweepView[]> {
    await this._fetcher.status();
    // What happens from here on arrives as events, also while the lists are fetched.
    this._feed.reset(this.status?.seq ?? 0);
    this._isStale = false;
    this.pipeline.invalidate();
    const ended = await this._fetcher.all(this._limit, this._watches.ids);
    this._isLoaded = true;
    void this._attempt(() => this._fetcher.models());
    return ended;
  }

  private _onEvents(_: ChangeFeed, events: readonly EventView[]): void {
    this.pipeline.add(events);
    this._gatherer.add(events);
  }

  private _onLost(): void {
    void this._attempt(() => this._fetchAll());
  }

  private async _fetchPending(pending: Pending): Promise<void> {
    await this._attempt(() =>
      pending.sweeps.size > MANY
        ? this._fetchAll()
        : this._fetcher.changes(pending)
    );
    pending.metrics.forEach(id => this._measured.emit(id));
  }

  /** Do it, and keep what goes wrong as the problem; the poll then fetches everything again. */
  private async _attempt(
    work: () => Promise<readonly SweepView[]>
  ): Promise<void> {
    try {
      this._succeed(await work());
    } catch (error) {
      this._fail(error);
    }
  }

  private _succeed(ended: readonly SweepView[]): void {
    if (this.isDisposed) {
      return;
    }
    this._problem = null;
    setPace(this._poll, this._interval, this.isActive);
    this._changed.emit();
    ended.forEach(sweep => this._finished.emit(sweep));
  }

  private _fail(error: unknown): void {
    if (this.isDisposed) {
      return;
    }
    this._isStale = true;
    this._problem = toProblem(error, this._problem);
    this._changed.emit();
  }

  private readonly _interval: number;
  private readonly _entities = new Entities();
  private readonly _fetcher: Fetcher;
  private readonly _feed: ChangeFeed;
  private readonly _gatherer = new Gatherer(pending =>
    this._fetchPending(pending)
  );
  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _measured = new Signal<this, string>(this);
  private readonly _finished = new Signal<this, SweepView>(this);
  private readonly _watches = new Watches();
  private _problem: IProblem | null = null;
  private _limit = PAGE;
  private _isLoaded = false;
  private _isStale = true;
}
