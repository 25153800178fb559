/** When to ask for a pipeline again: at once where it matters, seldom where it is dear. */
import type { IDisposable } from '@lumino/disposable';

/** All stages, or those of the pipeline run that is under way. */
export type Extent = 'all' | 'run';

/** Why to ask: everything may have changed, a run goes on, something little, or it is old. */
export type Occasion = 'later' | 'now' | 'old' | 'run';

/** What is asked for at once waits for this long, in ms, so that a burst leads to one request. */
const GATHER = 150;
/** The server does not look again at what it has just looked at, for this many ms. */
const SETTLED = 600;
/** Least ms between two requests, and at least so many times as long as the last one took. */
const DISTANCE = { all: 20_000, run: 1000 } as const;
const FACTOR = 4;

/** Spreads requests over time. */
export class Pace implements IDisposable {
  constructor(private readonly fetch: (what: Extent) => Promise<void>) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
  }

  /** Ask when it is due. */
  ask(occasion: Occasion): void {
    const what = occasion === 'run' ? 'run' : 'all';
    const wish = this._wishes[what];
    const soon = wish?.soon ?? Date.now() + GATHER;
    if (occasion === 'old' && this._next(what) > soon) {
      return;
    }
    const isUrgent = occasion === 'now' || (wish?.isUrgent ?? false);
    this._wishes[what] = { soon, isUrgent };
    this._schedule();
  }

  /** Ask now; what was due is done by that too. */
  async run(what: Extent): Promise<void> {
    await this._current;
    if (this._isDisposed) {
      return;
    }
    if (what === 'all') {
      this._wishes = {};
    } else {
      delete this._wishes.run;
    }
    const begun = Date.now();
    this._last[what] = { ended: begun, took: 0 };
    this._current = this.fetch(what).finally(() => {
      const ended = Date.now();
      this._last[what] = { ended, took: ended - begun };
      this._current = null;
      this._schedule();
    });
    await this._current;
  }

  private _next(what: Extent): number {
    const last = this._last[what];
    return last ? last.ended + Math.max(DISTANCE[what], FACTOR * last.took) : 0;
  }

  /** When to do what is wished for, in ms since the epoch. */
  private _due(what: Extent): number {
    const wish = this._wishes[what];
    if (!wish) {
      return Infinity;
    }
    const last = this._last[what]?.ended ?? 0;
    const next = wish.isUrgent ? last + SETTLED : this._next(what);
    return Math.max(wish.soon, next);
  }

  private _schedule(): void {
    clearTimeout(this._timer);
    const all = this._due('all');
    const run = this._due('run');
    const due = Math.min(all, run);
    if (due < Infinity && !this._current && !this._isDisposed) {
      this._timer = setTimeout(
        () => {
          // A timer may be a millisecond early by the clock.
          const now = Math.max(due, Date.now());
          void this.run(all <= now ? 'all' : 'run');
        },
        Math.max(0, due - Date.now())
      );
    }
  }

  private _wishes: Partial<
    Record<Extent, { readonly soon: number; readonly isUrgent: boolean }>
  > = {};
  private readonly _last: Partial<
    Record<Extent, { readonly ended: number; readonly took: number }>
  > = {};
  private _current: Promise<void> | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
