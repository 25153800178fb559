/** A feature's tab: all that is known of it. */
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { RequestError } from '../api/request';
import type { FeatureDetail, FeatureView } from '../api/types';
import { Occasions } from '../features/occasions';
import type { IProblem } from '../projects/problem';
import { messageOf, toProblem } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';

/** How often it is asked, while somebody looks, for changes that nothing tells of, in ms. */
const INTERVAL = 30_000;

export interface IFeatureModelOptions {
  /** The project's store; the model gives it back when it is disposed of. */
  readonly lease: ILease;
  /** What happens to files in JupyterLab. */
  readonly files: ISignal<unknown, Contents.IChangedArgs>;
  readonly name: string;
  /** The feature as it was listed, if it was; the rest is asked for, which may take its time. */
  readonly listed: FeatureView | null;
  /** Whether somebody looks. */
  readonly isShown: () => boolean;
}

export class FeatureModel implements IDisposable {
  constructor(private readonly options: IFeatureModelOptions) {
    this.store = options.lease.store;
    this.name = options.name;
    this._want = this.store.want();
    this._occasions = new Occasions(this.store, options.files, () =>
      this.refresh()
    );
    this._poll = new Poll({
      name: `jupyter-mlops:feature:${this.name}`,
      factory: () => this.refresh(),
      frequency: { interval: INTERVAL, backoff: true, max: 10 * INTERVAL },
      standby: () => (options.isShown() ? 'when-hidden' : true)
    });
  }

  readonly store: ProjectStore;
  readonly name: string;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Null while it is not known. */
  get detail(): FeatureDetail | null {
    return this._detail;
  }

  /** What is known of it already before the detail is. */
  get feature(): FeatureView | null {
    return this._detail?.feature ?? this.options.listed;
  }

  /** Why what is shown is not up to date, or null. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** Why there is no such feature, or not any more; null if there is. */
  get missing(): string | null {
    return this._missing;
  }

  /** Ask once more, if somebody looks. */
  async refresh(): Promise<void> {
    if (!this.options.isShown()) {
      return;
    }
    const turn = ++this._turn;
    const { client, project } = this.store;
    try {
      const { features } = client;
      if (!this._detail) {
        const first = await features.detail(project.path, this.name, false);
        if (turn === this._turn) {
          this._keep(first);
          this._changed.emit();
        }
      }
      if (turn !== this._turn) {
        return;
      }
      const found = await features.detail(project.path, this.name);
      if (turn === this._turn) {
        this._keep(found);
      }
    } catch (error) {
      if (turn === this._turn) {
        this._fail(error);
      }
    }
    if (turn === this._turn) {
      this._changed.emit();
    }
  }

  get isDisposed(): boolean {
    return this._occasions.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._turn += 1;
    this._poll.dispose();
    this._occasions.dispose();
    this._want.dispose();
    this.options.lease.dispose();
    Signal.clearData(this);
  }

  private _keep(found: FeatureDetail): void {
    this._problem = null;
    this._missing = null;
    // What is as it was stays the same object, so that nothing is drawn again.
    if (JSON.stringify(found) !== JSON.stringify(this._detail)) {
      this._detail = found;
    }
  }

  private _fail(error: unknown): void {
    if (error instanceof RequestError && error.status === 404) {
      this._missing = messageOf(error);
    } else {
      this._problem = toProblem(error, this._problem);
    }
  }

  /** Events arrive while the project is wanted. */
  private readonly _want: IDisposable;
  private readonly _occasions: Occasions;
  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private _detail: FeatureDetail | null = null;
  private _problem: IProblem | null = null;
  private _missing: string | null = null;
  private _turn = 0;
}
