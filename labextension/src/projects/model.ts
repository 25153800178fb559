/** Which project the panel shows. */
import { PathExt } from '@jupyterlab/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { MlopsClient } from '../api/client';
import { RequestError } from '../api/request';
import type { ProjectView } from '../api/types';
import type { IProblem } from './problem';
import { toProblem } from './problem';
import type { ProjectStore } from './store';
import type { ILease, Stores } from './stores';

/** Where the user is. */
interface IPlace {
  readonly path: string;
  readonly isBrowsing: boolean;
}

/** Follows the current notebook or folder to its project, unless one was chosen. */
export class ProjectsModel implements IDisposable {
  constructor(
    readonly client: MlopsClient,
    private readonly stores: Stores
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The store of the project that is shown, or null until one was found. */
  get current(): ProjectStore | null {
    return this._lease?.store ?? null;
  }

  /** The projects to choose from. */
  get known(): readonly ProjectView[] {
    return this._known;
  }

  /** Whether the project was chosen, and does not follow the current notebook. */
  get isPinned(): boolean {
    return this._isPinned;
  }

  /** Why no project could be found, or null. */
  get problem(): IProblem | null {
    return this._problem;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._lease?.dispose();
    Signal.clearData(this);
  }

  /** Whether somebody looks at the panel. Until then nothing is asked of the server. */
  get isWanted(): boolean {
    return this._isWanted;
  }

  /** Somebody opens the panel or closes it. */
  async want(isWanted: boolean): Promise<void> {
    this._isWanted = isWanted;
    if (isWanted && !this._isPinned) {
      await this._locate();
    }
  }

  /**
   * The user has gone to a file or, while browsing, to a folder, relative to the server's root.
   *
   * Every folder can be a project, and each has a worker of its own; so browsing leads to marked
   * projects only.
   */
  async follow(path: string, isBrowsing: boolean): Promise<void> {
    this._place = { path, isBrowsing };
    if (this._isWanted && !this._isPinned) {
      await this._locate();
    }
  }

  /** Show this project, wherever the user goes; null follows the user again. */
  async choose(project: ProjectView | null): Promise<void> {
    this._isPinned = project !== null;
    if (project) {
      this._show(project);
    } else {
      await this._locate();
    }
  }

  /** Go to a project; the next notebook or folder that the user goes to leads on. */
  show(project: ProjectView): void {
    this._isPinned =
      this._isPinned && this.current?.project.path === project.path;
    this._show(project);
  }

  /** Look for the project of the current path again. */
  async retry(): Promise<void> {
    await this._locate();
  }

  /** Fetch the projects to choose from. */
  async list(): Promise<void> {
    try {
      this._known = await this.client.projects();
    } catch {
      // The choice then holds the current project only; the panel shows what is wrong.
      return;
    }
    this._changed.emit();
  }

  private async _locate(): Promise<void> {
    const place = this._place;
    if (!place) {
      return;
    }
    const turn = ++this._turn;
    try {
      const project = await this.client.project(place.path);
      const isLast = turn === this._turn && !this._isPinned;
      const isMinor = place.isBrowsing && project.marker === 'folder';
      if (isLast && !this._isDisposed && !(isMinor && this.current)) {
        this._show(project);
      }
    } catch (error) {
      const isGone = error instanceof RequestError && error.status === 404;
      if (isGone && place.path !== '' && turn === this._turn) {
        // Its folder leads to the project still, or the one above.
        await this.follow(PathExt.dirname(place.path), true);
        return;
      }
      this._problem = toProblem(error, this._problem);
      this._changed.emit();
    }
  }

  private _show(project: ProjectView): void {
    this._turn += 1;
    this._problem = null;
    if (project.path !== this.current?.project.path) {
      const before = this._lease;
      this._lease = this.stores.acquire(project);
      before?.dispose();
    }
    if (!this._known.some(each => each.path === project.path)) {
      this._known = [...this._known, project];
    }
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _lease: ILease | null = null;
  private _known: readonly ProjectView[] = [];
  private _place: IPlace | null = null;
  private _turn = 0;
  private _isWanted = false;
  private _isPinned = false;
  private _problem: IProblem | null = null;
  private _isDisposed = false;
}
