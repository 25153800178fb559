/** An endpoint's tab: how it does, what it answers, what it printed, and how its requests drift. */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EndpointClient } from '../api/endpoints';
import { RequestError } from '../api/request';
import type {
  EndpointLog,
  EndpointView,
  EventView,
  MonitoringView
} from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';
import type { IEndpointState, Part } from './state';
import { Trial } from './trial';

/** How often it is asked how it does while somebody looks, in ms. */
const INTERVAL = 3000;

export interface IEndpointModelOptions {
  readonly lease: ILease;
  readonly client: EndpointClient;
  readonly name: string;
  readonly state: IEndpointState;
  /** Whether somebody looks. */
  readonly isShown: () => boolean;
}

export class EndpointModel implements IDisposable {
  constructor(private readonly options: IEndpointModelOptions) {
    this.store = options.lease.store;
    this._want = this.store.want();
    this.client = options.client;
    this.name = options.name;
    this._part = options.state.part;
    this.trial = new Trial(body =>
      this.client.ask(this.store.project.path, this.name, body)
    );
    this._poll = new Poll({
      name: `jupyter-mlops:endpoint:${this.name}`,
      factory: () => this._fetch(),
      frequency: { interval: INTERVAL, backoff: true, max: 10 * INTERVAL },
      standby: () => (options.isShown() ? 'when-hidden' : true)
    });
    this.store.happened.connect(this._onEvents, this);
  }

  readonly store: ProjectStore;
  readonly client: EndpointClient;
  readonly name: string;
  readonly trial: Trial;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): IEndpointState {
    return { part: this._part };
  }

  get part(): Part {
    return this._part;
  }

  /** The endpoint, or null while it is not known or if it is not served. */
  get endpoint(): EndpointView | null {
    return this._endpoint;
  }

  /** Whether the model is not served, or not any more. */
  get isGone(): boolean {
    return this._isGone;
  }

  get log(): EndpointLog | null {
    return this._log;
  }

  get monitoring(): MonitoringView | null {
    return this._monitoring;
  }

  /** Why it is not up to date, or null. */
  get problem(): string | null {
    return this._problem;
  }

  show(part: Part): void {
    this._part = part;
    this._changed.emit();
    this._stateChanged.emit();
    void this.refresh();
  }

  /** Ask how it does, now. */
  async refresh(): Promise<void> {
    await this._poll.refresh();
  }

  /** Ask the model; what was counted is shown at once. */
  async tryIt(): Promise<void> {
    await this.trial.submit();
    await this.refresh();
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._poll.dispose();
    this.store.happened.disconnect(this._onEvents, this);
    this._want.dispose();
    this.options.lease.dispose();
    Signal.clearData(this);
  }

  private async _fetch(): Promise<void> {
    const { client, name } = this;
    const { path } = this.store.project;
    try {
      const [detail, log, monitoring] = await Promise.all([
        client.detail(path, name),
        this._part === 'log' ? client.log(path, name) : this._log,
        this._part === 'monitoring'
          ? client.monitoring(path, name)
          : this._monitoring
      ]);
      this._endpoint = detail.endpoint;
      this._log = log;
      this._monitoring = monitoring;
      this._problem = null;
      this._isGone = false;
      this.trial.describe(detail);
    } catch (error) {
      this._isGone = error instanceof RequestError && error.status === 404;
      this._problem = messageOf(error);
    }
    if (!this.isDisposed) {
      this._changed.emit();
    }
  }

  private _onEvents(_: unknown, events: readonly EventView[]): void {
    const isOurs = (event: EventView): boolean =>
      event.kind === 'endpoint' || event.kind === 'sweep';
    if (events.some(isOurs) && this.options.isShown()) {
      void this.refresh();
    }
  }

  /** The versions to switch to are among what is listed. */
  private readonly _want: IDisposable;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _poll: Poll;
  private _part: Part;
  private _endpoint: EndpointView | null = null;
  private _isGone = false;
  private _log: EndpointLog | null = null;
  private _monitoring: MonitoringView | null = null;
  private _problem: string | null = null;
}
