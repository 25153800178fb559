/** When what is known of a project's features may have become old. */
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';

import type { EventView, Status } from '../api/types';
import { pathInProject } from '../projects/files';
import type { ProjectStore } from '../projects/store';
import { isFinished } from '../status';

/** What happens in a burst leads to one request, this many ms later. */
const GATHER = 400;
/** Modules that define features, and settings that declare their sources. */
const FILE = /\.py$|(^|\/)(mlops|pyproject)\.toml$/;

/** Calls when a run has ended, when a model or an endpoint has changed, or when a file was saved. */
export class Occasions implements IDisposable {
  constructor(
    private readonly store: ProjectStore,
    private readonly files: ISignal<unknown, Contents.IChangedArgs>,
    act: () => Promise<void>
  ) {
    this._gatherer = new Debouncer(act, GATHER);
    store.happened.connect(this._onEvents, this);
    files.connect(this._onFile, this);
  }

  get isDisposed(): boolean {
    return this._gatherer.isDisposed;
  }

  dispose(): void {
    this.store.happened.disconnect(this._onEvents, this);
    this.files.disconnect(this._onFile, this);
    this._gatherer.dispose();
  }

  private _onEvents(_: unknown, events: readonly EventView[]): void {
    if (events.some(concernsFeatures)) {
      this._call();
    }
  }

  private _onFile(_: unknown, change: Contents.IChangedArgs): void {
    const { path } = this.store.project;
    const isOurs = [change.newValue, change.oldValue].some(file => {
      const inside = file?.path ? pathInProject(file.path, path) : null;
      return inside !== null && FILE.test(inside);
    });
    if (isOurs) {
      this._call();
    }
  }

  private _call(): void {
    // The debouncer rejects what it was asked before it was disposed of.
    this._gatherer.invoke().catch(() => undefined);
  }

  private readonly _gatherer: Debouncer;
}

function concernsFeatures({ kind, status }: EventView): boolean {
  return (
    kind === 'model' ||
    kind === 'endpoint' ||
    (kind === 'sweep' && status !== null && isFinished(status as Status))
  );
}
