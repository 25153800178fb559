/** The stores of all projects that are looked at. */
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

import type { ProjectView } from '../api/types';
import type { ProjectStore } from './store';

/** This many stores that nobody uses are kept, so that coming back shows the last state at once. */
const KEPT = 3;

/** A store for as long as it is needed. */
export interface ILease extends IDisposable {
  readonly store: ProjectStore;
}

/** Hands out one store per project. */
export class Stores implements IDisposable {
  constructor(
    private readonly create: (project: ProjectView) => ProjectStore
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._entries.forEach(({ store }) => store.dispose());
    this._entries.clear();
  }

  /** Use a project's store until the result is disposed of. */
  acquire(project: ProjectView): ILease {
    const { path } = project;
    const entry = this._entries.get(path) ?? {
      store: this.create(project),
      users: 0
    };
    entry.users += 1;
    // Last in the map is last used.
    this._entries.delete(path);
    this._entries.set(path, entry);
    const release = new DisposableDelegate(() => {
      entry.users -= 1;
      this._prune();
    });
    return Object.assign(release, { store: entry.store });
  }

  private _prune(): void {
    const unused = [...this._entries].filter(([, entry]) => entry.users === 0);
    unused
      .slice(0, Math.max(0, unused.length - KEPT))
      .forEach(([path, entry]) => {
        this._entries.delete(path);
        entry.store.dispose();
      });
  }

  private readonly _entries = new Map<
    string,
    { readonly store: ProjectStore; users: number }
  >();
  private _isDisposed = false;
}
