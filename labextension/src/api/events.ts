/** A project's changes in order and without gaps, from a socket that has neither guarantee. */
import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal, IStream } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EventView } from './types';

/** Identifies our events on Jupyter's event socket. */
export const SCHEMA_ID =
  'https://jupyter-mlops.readthedocs.io/events/change/v1';

/** More missed events than this are not replayed; everything is fetched again. */
export const MAX_REPLAY = 1000;

/** The part of the contract's ChangeEvent that is read before the rest is trusted. */
type Emission = Event.Emission & Partial<Record<keyof EventView, unknown>>;

export interface IChangeFeedOptions {
  /** Path of the project relative to the server's root. */
  readonly project: string;
  /** Jupyter's events, of all schemas and projects. */
  readonly stream: IStream<Event.IManager, Event.Emission>;
  /** Ask for at most `limit` events after the number `after`, oldest first. */
  readonly fetchAfter: (
    after: number,
    limit: number
  ) => Promise<readonly EventView[]>;
}

/**
 * Listens to a project's events.
 *
 * Events are numbered per project. One that is not the next in line shows that others were missed;
 * those are asked for, so that listeners see each event once and in order.
 */
export class ChangeFeed implements IDisposable {
  constructor(options: IChangeFeedOptions) {
    this._project = options.project;
    this._stream = options.stream;
    this._fetchAfter = options.fetchAfter;
    this._stream.connect(this._onEmission, this);
  }

  /** Events in order, each once. */
  get changed(): ISignal<this, readonly EventView[]> {
    return this._changed;
  }

  /** Emitted when too much was missed to replay it; listeners fetch everything again. */
  get lost(): ISignal<this, void> {
    return this._lost;
  }

  /** The number of the last event that was seen, or null before `reset`. */
  get seq(): number | null {
    return this._seq;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._stream.disconnect(this._onEmission, this);
    Signal.clearData(this);
  }

  /** Start over after the event `seq`; what came before is known. */
  reset(seq: number): void {
    this._seq = seq;
    this._newest = seq;
  }

  /**
   * Ask for events that did not arrive.
   *
   * @throws RequestError if the server cannot be asked; the gap then stays open for the next call
   */
  async heal(): Promise<void> {
    if (this._seq === null || this._isDisposed) {
      return;
    }
    this._healing ??= this._heal().finally(() => {
      this._healing = null;
    });
    await this._healing;
  }

  private async _heal(): Promise<void> {
    let isBehind = true;
    while (isBehind && !this._isDisposed) {
      const missed = await this._fetchAfter(this._seq ?? 0, MAX_REPLAY);
      if (missed.length >= MAX_REPLAY) {
        this._lost.emit();
        return;
      }
      const fresh = missed.filter(event => event.seq > (this._seq ?? 0));
      const last = fresh.at(-1);
      if (last) {
        this._seq = last.seq;
        this._changed.emit(fresh);
      }
      // Events that came in the meantime may not be in the answer.
      isBehind = last !== undefined && last.seq < this._newest;
    }
  }

  private _onEmission(_: Event.IManager, emission: Emission): void {
    if (
      emission.schema_id !== SCHEMA_ID ||
      emission.project !== this._project ||
      typeof emission.seq !== 'number' ||
      this._seq === null
    ) {
      return;
    }
    this._newest = Math.max(this._newest, emission.seq);
    if (emission.seq === this._seq + 1) {
      this._seq = emission.seq;
      this._changed.emit([emission as unknown as EventView]);
    } else if (emission.seq > this._seq) {
      // The next event or the poll tries again if this fails.
      this.heal().catch(() => undefined);
    }
  }

  private readonly _project: string;
  private readonly _stream: IStream<Event.IManager, Event.Emission>;
  private readonly _fetchAfter: IChangeFeedOptions['fetchAfter'];
  private readonly _changed = new Signal<this, readonly EventView[]>(this);
  private readonly _lost = new Signal<this, void>(this);
  private _seq: number | null = null;
  /** The highest number that was seen on the socket. */
  private _newest = 0;
  private _healing: Promise<void> | null = null;
  private _isDisposed = false;
}
