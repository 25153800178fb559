/** Lays out pipelines without holding up the page. */
import type { IDisposable } from '@lumino/disposable';

import type { ILayout, ILayoutRequest } from './layout';

/** Fewer nodes than this are laid out in a few frames; that takes less than to start a worker. */
const FEW = 60;

/** Uses a worker for large pipelines; where there can be none, the page itself. */
export class Layouter implements IDisposable {
  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._worker?.terminate();
    this._worker = null;
  }

  /** Lay it out; of several that are under way only the last one matters. */
  async layout(request: ILayoutRequest): Promise<ILayout> {
    if (request.nodes.length > FEW && this._canWork) {
      try {
        return await this._askWorker(request);
      } catch {
        // A policy of the site, or a proxy, may keep workers from being loaded.
        this._canWork = false;
      }
    }
    const { computeLayout } = await import('./layout');
    return computeLayout(request);
  }

  private _askWorker(request: ILayoutRequest): Promise<ILayout> {
    this._worker?.terminate();
    const worker = new Worker(new URL('./layoutworker.js', import.meta.url));
    this._worker = worker;
    return new Promise((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<ILayout>) => {
        worker.terminate();
        resolve(event.data);
      };
      worker.onerror = event => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(request);
    });
  }

  private _worker: Worker | null = null;
  private _canWork = typeof Worker !== 'undefined';
  private _isDisposed = false;
}
