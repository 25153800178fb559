/** The stages of a pipeline as they were last seen, with what events tell since then. */
import type {
  EventView,
  PipelineRunDetail,
  PipelineRunView,
  StageState,
  StageView
} from '../api/types';
import { isPending } from '../status';

/** How far a pipeline run is. */
export interface IPipelineProgress {
  /** Stages that it looks at, and those with which nothing more happens. */
  readonly total: number;
  readonly done: number;
  readonly counts: Readonly<Partial<Record<StageState, number>>>;
}

/** What is read of an event before the rest is trusted. */
export interface IStageChange {
  readonly pipeline: string;
  readonly states: Readonly<Record<string, StageState>>;
}

/** Return what an event tells of stages, or null if it is about something else. */
export function readChange(event: EventView): IStageChange | null {
  const { pipeline, stages } = event.data;
  return event.kind === 'pipeline' && typeof pipeline === 'string'
    ? {
        pipeline,
        states:
          typeof stages === 'object' && stages !== null
            ? (stages as IStageChange['states'])
            : {}
      }
    : null;
}

/**
 * Holds stages in order. A stage is the same object, and the list the same array, until something
 * about it has changed, so that only what has changed is drawn again.
 */
export class Stages {
  get list(): readonly StageView[] {
    return this._list;
  }

  find(name: string): StageView | null {
    const index = this._indexes.get(name);
    return index === undefined ? null : (this._list[index] ?? null);
  }

  /** Take in all stages. */
  put(stages: readonly StageView[]): void {
    const list = stages.map(stage => reuse(this.find(stage.name), stage));
    const isSame =
      list.length === this._list.length &&
      list.every((stage, index) => stage === this._list[index]);
    if (!isSame) {
      this._list = list;
      this._indexes = new Map(list.map((stage, index) => [stage.name, index]));
    }
  }

  /** Take in what a pipeline run does with stages; how they are wired it may not know. */
  putRun(stages: readonly StageView[]): void {
    this.update(
      stages.map(stage => {
        const { name, group, kind, file, description, upstream } =
          this.find(stage.name) ?? stage;
        const wiring = { name, group, kind, file, description, upstream };
        return { ...stage, ...wiring };
      })
    );
  }

  /** Take in some of the stages; those that are not known are left out. */
  update(stages: readonly StageView[]): void {
    const list = [...this._list];
    stages.forEach(stage => {
      const index = this._indexes.get(stage.name);
      if (index !== undefined) {
        list[index] = reuse(list[index] ?? null, stage);
      }
    });
    this.put(list);
  }

  /** Take in new states. Returns whether all of the stages are known. */
  setStates(states: IStageChange['states'], time: string): boolean {
    const names = Object.keys(states);
    const known = names.flatMap(name => this.find(name) ?? []);
    this.update(known.map(stage => withState(stage, states[stage.name], time)));
    return known.length === names.length;
  }

  /** A run is at this code cell. */
  setCell(run: string, cell: number, cells: number): void {
    const stages = this._list.filter(
      stage => stage.run_id === run && stage.state === 'running'
    );
    if (stages.length > 0) {
      this.update(stages.map(stage => ({ ...stage, cell, cells })));
    }
  }

  private _list: readonly StageView[] = [];
  private _indexes: ReadonlyMap<string, number> = new Map();
}

/** The pipeline run that was last heard of, and the state of each of its stages. */
export class LastRun {
  get view(): PipelineRunView | null {
    return this._view;
  }

  get progress(): IPipelineProgress | null {
    if (!this._view) {
      return null;
    }
    const counts: Partial<Record<StageState, number>> = {};
    let done = 0;
    for (const state of this._states.values()) {
      counts[state] = (counts[state] ?? 0) + 1;
      done += Number(!isPending(state));
    }
    const total = Math.max(this._view.total, this._states.size);
    return { total, done, counts };
  }

  /** Take in the run; what is known of the stages of another one is forgotten. */
  put(view: PipelineRunView | null): void {
    if (view?.id !== this._view?.id) {
      this._states.clear();
    }
    this._view = view;
  }

  putDetail(detail: PipelineRunDetail): void {
    this.put(detail.run);
    detail.stages.forEach(stage => this._states.set(stage.name, stage.state));
  }

  /** Take in what an event tells. Returns whether it is about this run. */
  apply(change: IStageChange): boolean {
    if (change.pipeline !== this._view?.id) {
      return false;
    }
    Object.entries(change.states).forEach(([name, state]) =>
      this._states.set(name, state)
    );
    return true;
  }

  private readonly _states = new Map<string, StageState>();
  private _view: PipelineRunView | null = null;
}

/** The stage as it was, if nothing about it has changed; else with what has not. */
function reuse(before: StageView | null, stage: StageView): StageView {
  if (!before || before === stage) {
    return stage;
  }
  if (JSON.stringify(before) === JSON.stringify(stage)) {
    return before;
  }
  const isWired =
    before.upstream.length === stage.upstream.length &&
    before.upstream.every((name, index) => name === stage.upstream[index]);
  return isWired ? { ...stage, upstream: before.upstream } : stage;
}

function withState(
  stage: StageView,
  state: StageState | undefined,
  time: string
): StageView {
  if (state === undefined || state === stage.state) {
    return stage;
  }
  const begun = { ...stage, state, cell: null, cells: null };
  switch (state) {
    case 'queued':
      return { ...begun, error: null };
    case 'running':
      return { ...begun, error: null, started_at: time, finished_at: null };
    default:
      return begun;
  }
}
