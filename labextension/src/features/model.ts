/** The section of features in the sidebar: the catalog of the project that is shown. */
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FeatureProblem } from '../api/types';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';
import { Occasions } from './occasions';
import { FeatureSearch } from './search';

/** How often it is asked, while somebody looks, for changes that nothing tells of, in ms. */
const INTERVAL = 30_000;

export class FeaturesModel implements IDisposable {
  constructor(
    readonly projects: ProjectsModel,
    /** What happens to files in JupyterLab. */
    readonly files: ISignal<unknown, Contents.IChangedArgs>
  ) {
    this._poll = new Poll({
      name: 'jupyter-mlops:features',
      factory: () => this.refresh(),
      frequency: { interval: INTERVAL, backoff: true, max: 10 * INTERVAL },
      standby: () => (this.isWanted ? 'when-hidden' : true)
    });
    projects.changed.connect(this._onProjects, this);
    this._onProjects();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when somebody wants to type what is looked for. */
  get searching(): ISignal<this, void> {
    return this._searching;
  }

  get store(): ProjectStore | null {
    return this._store;
  }

  /** What is looked for and found; null until there is a project. */
  get search(): FeatureSearch | null {
    return this._search;
  }

  /** Number of features in the catalog, or null while it is not known. */
  get total(): number | null {
    return this._search?.view?.total ?? null;
  }

  /** What is wrong with definitions. */
  get problems(): readonly FeatureProblem[] {
    return this._search?.view?.problems ?? [];
  }

  /** Whether somebody looks. */
  get isWanted(): boolean {
    return this._isWanted && this.projects.isWanted;
  }

  /** Somebody opens the section or closes it. */
  want(isWanted: boolean): void {
    this._isWanted = isWanted;
    if (isWanted) {
      void this.refresh();
    }
  }

  /** Let somebody type what is looked for. */
  beginSearch(): void {
    this._isToSearch = true;
    this._searching.emit();
    this._emit();
  }

  /** Whether the field is to get the focus now; it is told once. */
  takeSearch(): boolean {
    const isToSearch = this._isToSearch;
    this._isToSearch = false;
    return isToSearch;
  }

  /** Ask for what is looked at; of a section that is folded the number of features is told. */
  async refresh(): Promise<void> {
    this._isMissed = !this.projects.isWanted;
    if (this._isMissed) {
      return;
    }
    await (this._isWanted ? this._search?.refresh() : this._search?.peek());
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    this._poll.dispose();
    this.projects.changed.disconnect(this._onProjects, this);
    this._leave();
    Signal.clearData(this);
  }

  private _onProjects(): void {
    const { current } = this.projects;
    if (current !== this._store) {
      this._leave();
      this._store = current;
      if (current) {
        const { client, project } = current;
        this._search = new FeatureSearch(query =>
          client.features.list(project.path, query)
        );
        this._search.changed.connect(this._emit, this);
        this._occasions = new Occasions(current, this.files, () =>
          this.refresh()
        );
      }
      this._emit();
      void this.refresh();
    } else if (this._isMissed) {
      void this.refresh();
    }
  }

  /** Have nothing more to do with the project. */
  private _leave(): void {
    this._occasions?.dispose();
    this._occasions = null;
    this._search?.dispose();
    this._search = null;
  }

  private _emit(): void {
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _searching = new Signal<this, void>(this);
  private readonly _poll: Poll;
  private _store: ProjectStore | null = null;
  private _search: FeatureSearch | null = null;
  private _occasions: Occasions | null = null;
  private _isWanted = false;
  private _isToSearch = false;
  /** Whether it was to be asked while nobody looked. */
  private _isMissed = false;
}
