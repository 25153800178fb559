/** Gathers events, so that a burst of them leads to one fetch. */
import type { EventView } from '../api/types';
import { Pending } from './pending';

/** Events are gathered for this long, in ms. */
const GATHER = 200;

/** Hands on what has gathered, a moment later and not while the last was not dealt with. */
export class Gatherer {
  constructor(private readonly handle: (pending: Pending) => Promise<void>) {}

  add(events: readonly EventView[]): void {
    events.forEach(event => this._pending.add(event));
    this._schedule();
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
  }

  private _schedule(): void {
    if (this._timer !== undefined || this._isHandling || this._isDisposed) {
      return;
    }
    this._timer = setTimeout(() => {
      this._timer = undefined;
      const pending = this._pending;
      this._pending = new Pending();
      this._isHandling = true;
      void this.handle(pending).finally(() => {
        this._isHandling = false;
        if (!this._pending.isEmpty) {
          this._schedule();
        }
      });
    }, GATHER);
  }

  private _pending = new Pending();
  private _isHandling = false;
  private _isDisposed = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
