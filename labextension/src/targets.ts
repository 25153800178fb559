/** What the user points at: the row on which a command acts. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  ArtifactView,
  EndpointView,
  FeatureView,
  ModelVersionView,
  RunView,
  StageView,
  SweepView
} from './api/types';
import type { ProjectStore } from './projects/store';

export interface ISweepTarget {
  readonly kind: 'sweep';
  readonly store: ProjectStore;
  readonly sweep: SweepView;
}

export interface IRunTarget {
  readonly kind: 'run';
  readonly store: ProjectStore;
  readonly sweep: SweepView;
  readonly run: RunView;
}

/** A file that a run kept. */
export interface IArtifactTarget {
  readonly kind: 'artifact';
  readonly store: ProjectStore;
  readonly sweep: SweepView;
  readonly run: RunView;
  readonly artifact: ArtifactView;
}

export interface IModelTarget {
  readonly kind: 'model';
  readonly store: ProjectStore;
  readonly model: ModelVersionView;
}

export interface IEndpointTarget {
  readonly kind: 'endpoint';
  readonly store: ProjectStore;
  readonly endpoint: EndpointView;
}

export interface IFeatureTarget {
  readonly kind: 'feature';
  readonly store: ProjectStore;
  readonly feature: FeatureView;
}

export interface IStageTarget {
  readonly kind: 'stage';
  readonly store: ProjectStore;
  /** What it is called. */
  readonly name: string;
  /** The stage, or those that a foreach or matrix makes. */
  readonly stages: readonly StageView[];
}

export type Target =
  | IArtifactTarget
  | IEndpointTarget
  | IFeatureTarget
  | IModelTarget
  | IRunTarget
  | IStageTarget
  | ISweepTarget;

/**
 * Remembers the row that has the focus and the row whose menu is open.
 *
 * Commands take their target from here and never from arguments, so that a link in a notebook's
 * output, which can name any command and arguments, cannot choose what is cancelled or run.
 */
export class Targets {
  /** Emitted when commands may have become possible or impossible. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The row that a command would act on now. */
  get current(): Target | null {
    return this._pointed ?? this._focused;
  }

  /** Whether the user has just chosen from a row's own menu. */
  get isPointed(): boolean {
    return this._pointed !== null;
  }

  /** A row got the focus. */
  focus(target: Target | null): void {
    this._focused = target;
    this._changed.emit();
  }

  /** A row's menu opens. */
  point(target: Target): void {
    this._pointed = target;
    this._focused = target;
    this._changed.emit();
  }

  /** The menu has closed, and the command that was chosen has begun. */
  release(): void {
    this._pointed = null;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _focused: Target | null = null;
  private _pointed: Target | null = null;
}
