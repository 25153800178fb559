/** The form that chooses what is kept of an endpoint's requests. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EndpointClient } from '../api/endpoints';
import type { ColumnView, EndpointView, ServeRequest } from '../api/types';
import { messageOf } from '../projects/problem';

export class WatchForm {
  constructor(
    private readonly client: EndpointClient,
    private readonly project: string,
    private readonly endpoint: EndpointView,
    readonly columns: readonly ColumnView[],
    readonly submitLabel: string
  ) {
    this._kept = new Set(endpoint.monitored);
    this._percent = String(endpoint.share > 0 ? endpoint.share * 100 : 100);
    this._challenger = String(endpoint.challenger ?? '');
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why it was refused, or null. */
  get error(): string | null {
    return this._error;
  }

  isKept(column: string): boolean {
    return this._kept.has(column);
  }

  keep(column: string, isKept: boolean): void {
    if (isKept) {
      this._kept.add(column);
    } else {
      this._kept.delete(column);
    }
    this._touch();
  }

  /** Share of the requests in percent. */
  get percent(): string {
    return this._percent;
  }

  set percent(percent: string) {
    this._percent = percent;
    this._touch();
  }

  /** The version that is asked the same; empty for none. */
  get challenger(): string {
    return this._challenger;
  }

  set challenger(challenger: string) {
    this._challenger = challenger;
    this._touch();
  }

  get canSubmit(): boolean {
    const percent = Number(this._percent);
    return (
      this._percent.trim() !== '' &&
      percent >= 0 &&
      percent <= 100 &&
      /^v?\d*$/.test(this._challenger.trim())
    );
  }

  /** Serve the same version so. Returns null, and keeps the error, if the server refuses. */
  async submit(): Promise<EndpointView | null> {
    const challenger = this._challenger.trim().replace(/^v/, '');
    const isAny = this._kept.size > 0 || challenger !== '';
    const body: ServeRequest = {
      version: this.endpoint.version,
      alias: null,
      monitor: {
        columns: [...this._kept],
        share: isAny ? Number(this._percent) / 100 : 0,
        challenger: challenger === '' ? null : Number(challenger)
      }
    };
    try {
      return await this.client.serve(this.project, this.endpoint.name, body);
    } catch (error) {
      this._error = messageOf(error);
      this._changed.emit();
      return null;
    }
  }

  private _touch(): void {
    this._error = null;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _kept: Set<string>;
  private _percent: string;
  private _challenger: string;
  private _error: string | null = null;
}
