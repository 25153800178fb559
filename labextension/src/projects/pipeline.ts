/** The pipeline of a project, kept up to date while somebody looks at it. */
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { MlopsClient } from '../api/client';
import type {
  EventView,
  PipelineRunView,
  PipelineView,
  ProjectView,
  StageView,
  Status
} from '../api/types';
import { isFinished } from '../status';
import { isPipelineFile, pathInProject } from './files';
import { Graph } from './graph';
import { Pace } from './pace';
import type { IProblem } from './problem';
import { toProblem } from './problem';
import type { IPipelineProgress, IStageChange } from './stages';
import { LastRun, readChange, Stages } from './stages';

/** Listeners are told of a burst of events after this long, in ms. */
const GATHER = 100;

export interface IPipelineStoreOptions {
  readonly project: ProjectView;
  readonly client: MlopsClient;
  /** What happens to files in JupyterLab. */
  readonly files: ISignal<unknown, Contents.IChangedArgs>;
}

/**
 * The stages of a project and where they stand.
 *
 * States arrive with events and are taken in as they are. What else is known of the stages of a
 * pipeline run is fetched now and then while it lasts. DVC looks at the whole project when it is
 * asked, so that is done when something has changed, when the user comes back, and never by itself.
 */
export class PipelineStore implements IDisposable {
  constructor(private readonly options: IPipelineStoreOptions) {
    options.files.connect(this._onFile, this);
    document.addEventListener('visibilitychange', this._onReturn);
    window.addEventListener('focus', this._onReturn);
  }

  /** Emitted when anything that the getters return has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when DVC was asked, so that there may be more to know of each stage. */
  get fetched(): ISignal<this, void> {
    return this._fetched;
  }

  /** Whether the stages were fetched at least once. */
  get isLoaded(): boolean {
    return this._view !== null;
  }

  /** Whether there is a pipeline at all. */
  get exists(): boolean {
    return this._view?.exists ?? false;
  }

  /** In an order in which each stage comes after those that it depends on. */
  get stages(): readonly StageView[] {
    return this._stages.list;
  }

  /** The pipeline run that is under way or was last. */
  get last(): PipelineRunView | null {
    return this._last.view;
  }

  get progress(): IPipelineProgress | null {
    return this._last.progress;
  }

  /** Whether a pipeline run is under way. */
  get isActive(): boolean {
    return this.last !== null && !isFinished(this.last.status);
  }

  /** Why it is not up to date, or null. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** Which stage follows which; the same object until that changes. */
  get graph(): Graph {
    if (!this._graph.isOf(this.stages)) {
      this._graph = new Graph(this.stages);
    }
    return this._graph;
  }

  get isWatched(): boolean {
    return this._watchers > 0;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._telling);
    this._pace.dispose();
    this.options.files.disconnect(this._onFile, this);
    document.removeEventListener('visibilitychange', this._onReturn);
    window.removeEventListener('focus', this._onReturn);
    Signal.clearData(this);
  }

  stage(name: string): StageView | null {
    return this._stages.find(name);
  }

  /** Keep it up to date until the result is disposed of. */
  watch(): IDisposable {
    this._watchers += 1;
    this._pace.ask(this.isLoaded && !this._isMissed ? 'later' : 'now');
    return new DisposableDelegate(() => {
      this._watchers -= 1;
    });
  }

  /** Fetch everything again, now. */
  async refresh(): Promise<void> {
    await this._pace.run('all');
  }

  /** Take in a pipeline run that the server has just answered with. */
  put(run: PipelineRunView): void {
    this._last.put(run);
    this._pace.ask('run');
    this._changed.emit();
  }

  /** Take in events, in order. */
  add(events: readonly EventView[]): void {
    if (this.isLoaded) {
      this._missed.push(...events);
      events.forEach(event => this._apply(event));
    }
  }

  /** Events may have been missed. */
  invalidate(): void {
    this._ask(this._problem ? 'now' : 'later');
    if (this.isActive) {
      this._ask('run');
    }
  }

  private _apply(event: EventView): void {
    const { run_id: run, data } = event;
    const change = readChange(event);
    if (change) {
      this._applyChange(change, event);
    } else if (
      event.kind === 'run' &&
      run !== null &&
      typeof data.cell === 'number' &&
      typeof data.cells === 'number'
    ) {
      this._stages.setCell(run, data.cell, data.cells);
    } else {
      return;
    }
    this._telling ??= setTimeout(() => {
      this._telling = undefined;
      this._changed.emit();
    }, GATHER);
  }

  private _applyChange(change: IStageChange, event: EventView): void {
    this._stages.setStates(change.states, event.time);
    if (!this._last.apply(change)) {
      this._running = change.pipeline;
    } else if (this.last && event.status !== null) {
      const status = event.status as Status;
      this._last.put({ ...this.last, status });
      // What has followed from it only DVC knows.
      this._ask(isFinished(status) ? 'now' : 'run');
      return;
    }
    this._ask('run');
  }

  private _ask(what: 'later' | 'now' | 'run'): void {
    if (this.isWatched && !document.hidden) {
      this._pace.ask(what);
    } else {
      this._isMissed = true;
    }
  }

  private readonly _onReturn = (): void => {
    if (this.isWatched && !document.hidden) {
      this._pace.ask(this._isMissed ? 'now' : 'old');
    }
  };

  private _onFile(_: unknown, change: Contents.IChangedArgs): void {
    const { path: project } = this.options.project;
    const paths = [change.oldValue?.path, change.newValue?.path].flatMap(
      path => (path ? (pathInProject(path, project) ?? []) : [])
    );
    if (paths.length > 0) {
      this._ask(paths.some(isPipelineFile) ? 'now' : 'later');
    }
  }

  private async _fetch(what: 'all' | 'run'): Promise<void> {
    const { client, project } = this.options;
    const { path } = project;
    const id = this._running ?? this.last?.id;
    this._missed = [];
    try {
      if (what === 'run' && id !== undefined) {
        const detail = await client.pipelineRun(path, id);
        this._running = null;
        this._last.putDetail(detail);
        this._stages.putRun(detail.stages);
        if (isFinished(detail.run.status)) {
          this._ask('now');
        }
      } else {
        await this._fetchAll();
      }
    } catch (error) {
      this._isMissed = true;
      this._tell(toProblem(error, this._problem));
      return;
    }
    // What has happened while it was fetched may not be in the answer.
    const missed = this._missed;
    this._missed = [];
    missed.forEach(event => this._apply(event));
    const { problem } = this._view ?? { problem: null };
    this._tell(problem ? toProblem(new Error(problem), this._problem) : null);
    this._fetched.emit();
  }

  private async _fetchAll(): Promise<void> {
    const { client, project } = this.options;
    const { path } = project;
    this._isMissed = false;
    const view = await client.pipeline(path);
    const { last } = view;
    if (last && !isFinished(last.status)) {
      this._last.putDetail(await client.pipelineRun(path, last.id));
    }
    this._last.put(last);
    this._view = view;
    // What cannot be read now has been read before.
    if (view.problem === null || view.stages.length > 0) {
      this._stages.put(view.stages);
    }
  }

  private _tell(problem: IProblem | null): void {
    if (!this._isDisposed) {
      this._problem = problem;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _fetched = new Signal<this, void>(this);
  private readonly _stages = new Stages();
  private readonly _last = new LastRun();
  private readonly _pace = new Pace(what => this._fetch(what));
  private _graph = new Graph([]);
  private _view: PipelineView | null = null;
  private _problem: IProblem | null = null;
  /** A pipeline run that was heard of and is not known yet. */
  private _running: string | null = null;
  /** Events since the last request began. */
  private _missed: EventView[] = [];
  /** Whether something has changed while nobody looked. */
  private _isMissed = false;
  private _watchers = 0;
  private _telling: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
