/** Which sweeps somebody looks at closely. */
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

  private readonly _counts = new Map<string, number>();
}
