/** The section of endpoints in the sidebar: the models that the shown project serves. */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EndpointClient } from '../api/endpoints';
import type { EndpointView, EventView } from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';

/** How often latencies are asked for while somebody looks, in ms. */
const INTERVAL = 3000;

export class EndpointsModel implements IDisposable {
  constructor(
    readonly projects: ProjectsModel,
    readonly client: EndpointClient
  ) {
    this._poll = new Poll({
      name: 'jupyter-mlops:endpoints',
      factory: () => this.refresh(),
      frequency: { interval: INTERVAL, backoff: true, max: 12 * INTERVAL },
      // What does not answer needs no counting.
      standby: () =>
        this.isWanted && this.endpoints?.length ? 'when-hidden' : true
    });
    projects.changed.connect(this._onProjects, this);
    this._onProjects();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get store(): ProjectStore | null {
    return this._store;
  }

  /** The endpoints by name, or null while they are not known. */
  get endpoints(): readonly EndpointView[] | null {
    return this._endpoints;
  }

  /** Why they are not up to date, or null. */
  get problem(): string | null {
    return this._problem;
  }

  /** Whether somebody looks. */
  get isWanted(): boolean {
    return this._isWanted && this.projects.isWanted;
  }

  /** Somebody opens the section or closes it. */
  want(isWanted: boolean): void {
    this._isWanted = isWanted;
    if (isWanted) {
      void this.refresh();
    }
  }

  /** Ask for the endpoints, now. */
  async refresh(): Promise<void> {
    const store = this._store;
    if (!store || !this.isWanted) {
      return;
    }
    try {
      const found = await this.client.list(store.project.path);
      if (store === this._store) {
        this._endpoints = found;
        this._problem = null;
      }
    } catch (error) {
      this._problem = messageOf(error);
    }
    this._changed.emit();
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    this._poll.dispose();
    this._store?.happened.disconnect(this._onEvents, this);
    this.projects.changed.disconnect(this._onProjects, this);
    Signal.clearData(this);
  }

  private _onProjects(): void {
    const { current } = this.projects;
    if (current !== this._store) {
      this._store?.happened.disconnect(this._onEvents, this);
      this._store = current;
      this._endpoints = null;
      this._store?.happened.connect(this._onEvents, this);
      this._changed.emit();
      void this.refresh();
    }
  }

  private _onEvents(_: unknown, events: readonly EventView[]): void {
    if (events.some(event => event.kind === 'endpoint')) {
      void this.refresh();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _poll: Poll;
  private _store: ProjectStore | null = null;
  private _endpoints: readonly EndpointView[] | null = null;
  private _problem: string | null = null;
  private _isWanted = false;
}
