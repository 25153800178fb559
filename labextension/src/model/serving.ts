/** Whether a model is served, and the endpoint by which it can be tried. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EndpointClient } from '../api/endpoints';
import type { EventView } from '../api/types';
import { EndpointModel } from '../endpoint/model';
import { NO_STATE } from '../endpoint/state';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';

export interface IServingOptions {
  readonly store: ProjectStore;
  /** Name of the model. */
  readonly name: string;
  readonly endpoints: EndpointClient;
  /** Use the store for as long as an endpoint is looked at. */
  readonly acquire: () => ILease;
  /** Whether somebody looks. */
  readonly isShown: () => boolean;
}

export class Serving implements IDisposable {
  constructor(private readonly options: IServingOptions) {
    options.store.happened.connect(this._onEvents, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The endpoint of the model, or null if no version is served or that is not known. */
  get endpoint(): EndpointModel | null {
    return this._endpoint;
  }

  /** Whether it is known if a version is served. */
  get isKnown(): boolean {
    return this._isKnown;
  }

  /** Why it is not known, or null. */
  get problem(): string | null {
    return this._problem;
  }

  /** Ask whether a version is served, now. */
  async refresh(): Promise<void> {
    const { store, name, endpoints } = this.options;
    if (this._endpoint) {
      await this._endpoint.refresh();
      return;
    }
    try {
      const found = await endpoints.list(store.project.path);
      this._problem = null;
      this._isKnown = true;
      if (found.some(each => each.name === name)) {
        this._open();
      }
    } catch (error) {
      this._problem = messageOf(error);
    }
    this._emit();
  }

  /** Serve a version, in place of another one. */
  async serve(version: number): Promise<void> {
    const { store, name, endpoints } = this.options;
    const body = { version, alias: null, monitor: null };
    await endpoints.serve(store.project.path, name, body);
    await this.refresh();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.options.store.happened.disconnect(this._onEvents, this);
    this._endpoint?.dispose();
    Signal.clearData(this);
  }

  private _open(): void {
    if (!this._endpoint && !this._isDisposed) {
      const { name, endpoints, acquire, isShown } = this.options;
      this._endpoint = new EndpointModel({
        lease: acquire(),
        client: endpoints,
        name,
        state: NO_STATE,
        isShown
      });
      this._endpoint.changed.connect(this._onEndpoint, this);
    }
  }

  private _onEndpoint(endpoint: EndpointModel): void {
    if (endpoint.isGone) {
      endpoint.dispose();
      this._endpoint = null;
    }
    this._emit();
  }

  private _onEvents(_: unknown, events: readonly EventView[]): void {
    const isNews = events.some(event => event.kind === 'endpoint');
    // An endpoint asks by itself.
    if (isNews && !this._endpoint && this.options.isShown()) {
      void this.refresh();
    }
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _endpoint: EndpointModel | null = null;
  private _isKnown = false;
  private _problem: string | null = null;
  private _isDisposed = false;
}
