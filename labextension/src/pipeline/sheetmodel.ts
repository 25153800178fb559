/** What is known of the stage whose sheet is open. */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { StageDetail, StageView } from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import { groupKey } from './diagram';

/** How often to ask what a running stage prints, in ms; rarer while there is no answer. */
const TAIL = { interval: 3000, max: 30_000 } as const;

/** Follows one stage: asks when there may be more to know, and now and then while it runs. */
export class SheetModel implements IDisposable {
  constructor(
    private readonly store: ProjectStore,
    selected: string | null,
    /** Whether the sheet is seen. */
    isShown: () => boolean
  ) {
    this._selected = selected;
    this._tail = new Poll({
      name: 'jupyter-mlops:stage',
      factory: () => this._fetch(),
      frequency: { ...TAIL, backoff: true },
      standby: () => (isShown() && this._isRunning ? 'when-hidden' : true)
    });
    store.pipeline.changed.connect(this._update, this);
    store.pipeline.fetched.connect(this._onFetched, this);
    this._update();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The name of the stage, or the key of the group. */
  get selected(): string | null {
    return this._selected;
  }

  /** The stages whose sheet is open: one, those of a group, or none. */
  get stages(): readonly StageView[] {
    const { pipeline } = this.store;
    const key = this._selected;
    if (key === null) {
      return [];
    }
    const stage = pipeline.stage(key);
    return stage
      ? [stage]
      : pipeline.stages.filter(each => groupKey(each) === key);
  }

  /** What is known of the stage, or null while it is not. */
  get detail(): StageDetail | null {
    return this._detail?.stage.name === this._selected ? this._detail : null;
  }

  /** Why there is nothing new, or null. */
  get problem(): string | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.store.pipeline.changed.disconnect(this._update, this);
    this.store.pipeline.fetched.disconnect(this._onFetched, this);
    this._tail.dispose();
    Signal.clearData(this);
  }

  /** Go to why the stage will run, as soon as that is shown. */
  explain(): void {
    this._isExplained = true;
    this._changed.emit();
  }

  /** Whether to go to why the stage will run; reading it takes it. */
  takeExplained(): boolean {
    const isExplained = this._isExplained;
    this._isExplained = false;
    return isExplained;
  }

  select(key: string | null): void {
    this._selected = key;
    this._isExplained = false;
    this._problem = null;
    this._seen = null;
    this._update();
  }

  private get _isRunning(): boolean {
    const [stage, other] = this.stages;
    return stage?.state === 'running' && !other;
  }

  private _onFetched(): void {
    this._seen = null;
    this._update();
  }

  /** Ask if the stage is not as it was when it was last asked for. */
  private _update(): void {
    const [stage, other] = this.stages;
    if (stage && !other && stage !== this._seen && !this._isAsking) {
      this._isAsking = true;
      void this._fetch().finally(() => {
        this._isAsking = false;
        this._update();
      });
    }
  }

  private async _fetch(): Promise<void> {
    const [stage] = this.stages;
    if (!stage || this._isDisposed) {
      return;
    }
    this._seen = stage;
    const { client, project } = this.store;
    try {
      const detail = await client.stage(project.path, stage.name);
      if (stage.name === this._selected) {
        this._detail = detail;
        this._problem = null;
      }
    } catch (error) {
      this._problem = messageOf(error);
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _tail: Poll;
  private _selected: string | null;
  private _detail: StageDetail | null = null;
  /** The stage as it was when it was last asked for. */
  private _seen: StageView | null = null;
  private _problem: string | null = null;
  private _isExplained = false;
  private _isAsking = false;
  private _isDisposed = false;
}
