/** Which sweeps somebody looks at closely, and whether somebody looks at the lists. */
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

/** Counts the watchers of each sweep. */
export class Watches {
  get ids(): readonly string[] {
    return [...this._counts.keys()];
  }

  has(id: string): boolean {
    return this._counts.has(id);
  }

  /** Watch a sweep until the result is disposed of. */
  add(id: string): IDisposable {
    this._counts.set(id, (this._counts.get(id) ?? 0) + 1);
    return new DisposableDelegate(() => {
      const count = (this._counts.get(id) ?? 1) - 1;
      if (count > 0) {
        this._counts.set(id, count);
      } else {
        this._counts.delete(id);
      }
    });
  }

  /** Whether anything has to be kept up to date. */
  get isWanted(): boolean {
    return this._wants > 0 || this._counts.size > 0;
  }

  /** Look at the lists until the result is disposed of. */
  want(): IDisposable {
    this._wants += 1;
    return new DisposableDelegate(() => {
      this._wants -= 1;
    });
  }

  private readonly _counts = new Map<string, number>();
  private _wants = 0;
}
