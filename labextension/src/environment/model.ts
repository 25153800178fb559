/** The section of the environment in the sidebar: where the runs of the shown project go. */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EventView, ExecutorView, StatusView } from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';

/** How often nodes are asked for while somebody looks, in ms. */
const INTERVAL = 3000;

export class EnvironmentModel implements IDisposable {
  constructor(readonly projects: ProjectsModel) {
    this._poll = new Poll({
      name: 'jupyter-mlops:environment',
      factory: () => this.refresh(),
      frequency: { interval: INTERVAL, backoff: true, max: 12 * INTERVAL },
      // This machine alone tells nothing that the status does not.
      standby: () =>
        this._isWanted && projects.isWanted && this.clusters.length > 0
          ? 'when-hidden'
          : true
    });
    projects.changed.connect(this._onProjects, this);
    this._onProjects();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The cores of this machine, and how many are held. */
  get status(): StatusView | null {
    return this._store?.status ?? null;
  }

  /** The executors, or null while they are not known. */
  get executors(): readonly ExecutorView[] | null {
    return this._executors;
  }

  /** Those that are not this machine. */
  get clusters(): readonly ExecutorView[] {
    return this._executors?.filter(({ remote }) => remote) ?? [];
  }

  /** Why they are not up to date, or null. */
  get problem(): string | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    this._poll.dispose();
    this._leave();
    this.projects.changed.disconnect(this._onProjects, this);
    Signal.clearData(this);
  }

  /** Somebody opens the section or closes it. */
  want(isWanted: boolean): void {
    this._isWanted = isWanted;
    if (isWanted) {
      void this.refresh();
    }
  }

  /** Ask for the executors, now. */
  async refresh(): Promise<void> {
    const store = this._store;
    if (!store || !this.projects.isWanted) {
      return;
    }
    try {
      const found = await store.client.executors(store.project.path);
      if (store === this._store) {
        this._executors = found;
        this._problem = null;
      }
    } catch (error) {
      if (store === this._store) {
        this._problem = messageOf(error);
      }
    }
    this._changed.emit();
  }

  private _onProjects(): void {
    const { current } = this.projects;
    if (current !== this._store) {
      this._leave();
      this._store = current;
      this._executors = null;
      this._told = undefined;
      current?.happened.connect(this._onEvents, this);
      current?.changed.connect(this._onStore, this);
      this._changed.emit();
    }
    if (this._executors === null) {
      void this.refresh();
    }
  }

  private _leave(): void {
    this._store?.happened.disconnect(this._onEvents, this);
    this._store?.changed.disconnect(this._onStore, this);
  }

  /** The first sweep that goes to a cluster connects to it. */
  private _onEvents(_: unknown, events: readonly EventView[]): void {
    if (events.some(event => event.kind === 'sweep')) {
      void this.refresh();
    }
  }

  /** What the status calls a problem may be one of an executor, also while nobody looks here. */
  private _onStore(store: ProjectStore): void {
    const told = store.status?.problem;
    if (told !== this._told) {
      this._told = told;
      void this.refresh();
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _poll: Poll;
  private _store: ProjectStore | null = null;
  private _executors: readonly ExecutorView[] | null = null;
  private _problem: string | null = null;
  /** The problem that the status told last. */
  private _told: string | null | undefined;
  private _isWanted = false;
}
