/** The section of the pipeline in the sidebar: the stages of the project that is shown. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ProjectsModel } from '../projects/model';
import type { PipelineStore } from '../projects/pipeline';
import type { IProblem } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { Row } from './rows';
import { buildRows, failedNames } from './rows';

export class PipelineModel implements IDisposable {
  constructor(readonly projects: ProjectsModel) {
    projects.changed.connect(this._update, this);
    this._update();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get store(): ProjectStore | null {
    return this._store;
  }

  get pipeline(): PipelineStore | null {
    return this._store?.pipeline ?? null;
  }

  /** Why the pipeline is not up to date, or null; what the head of the panel tells is left out. */
  get problem(): IProblem | null {
    const { pipeline, projects } = this;
    const above = projects.problem ?? this._store?.problem;
    const problem = pipeline?.problem ?? null;
    return problem?.message === above?.message ? null : problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.projects.changed.disconnect(this._update, this);
    this._watch?.dispose();
    Signal.clearData(this);
  }

  /** Somebody opens the section or closes it. Until then DVC is not asked. */
  want(isWanted: boolean): void {
    if (isWanted !== this._isWanted) {
      this._isWanted = isWanted;
      this._rewatch();
    }
  }

  /** Return the rows; those of the stages `held` come first, or if null those that failed. */
  rows(held: ReadonlySet<string> | null): readonly Row[] {
    const stages = this.pipeline?.stages ?? [];
    return buildRows(
      stages,
      held ?? failedNames(stages),
      group => this._folded.get(group) ?? null
    );
  }

  fold(group: string, isFolded: boolean): void {
    this._folded.set(group, isFolded);
    this._changed.emit();
  }

  private _update(): void {
    const { current } = this.projects;
    if (current !== this._store) {
      this.pipeline?.changed.disconnect(this._tell, this);
      this._store?.changed.disconnect(this._onStore, this);
      this._store = current;
      this.pipeline?.changed.connect(this._tell, this);
      this._store?.changed.connect(this._onStore, this);
      this._rewatch();
    }
    this._tell();
  }

  private _rewatch(): void {
    const before = this._watch;
    this._watch = this._isWanted ? (this.pipeline?.watch() ?? null) : null;
    before?.dispose();
  }

  private _onStore(): void {
    if (this._problem !== this._store?.problem) {
      this._problem = this._store?.problem ?? null;
      this._tell();
    }
  }

  private _tell(): void {
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _folded = new Map<string, boolean>();
  private _store: ProjectStore | null = null;
  private _problem: IProblem | null = null;
  private _watch: IDisposable | null = null;
  private _isWanted = false;
  private _isDisposed = false;
}
