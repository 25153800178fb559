/** The section of models: which versions of the current project's models are shown. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ModelVersionView } from '../api/types';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';
import { parseFilter, suggestionsOf } from './filter';
import type { ModelRow } from './rows';
import { buildModelRows } from './rows';

export class ModelsModel implements IDisposable {
  constructor(private readonly projects: ProjectsModel) {
    projects.changed.connect(this._onProjects, this);
    this._onProjects();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the field of the filter appears. */
  get filtering(): ISignal<this, void> {
    return this._filtering;
  }

  get store(): ProjectStore | null {
    return this._store;
  }

  /** All versions, or null while they are not known. */
  get models(): readonly ModelVersionView[] | null {
    return this._store?.models ?? null;
  }

  /** What versions have to be: words, `owner:ada`, `auc > 0.7`. */
  get filter(): string {
    return this._filter;
  }

  set filter(filter: string) {
    this._filter = filter;
    this._emit();
  }

  /** Whether the field of the filter is shown. */
  get isFiltering(): boolean {
    return this._isFiltering;
  }

  set isFiltering(isFiltering: boolean) {
    this._isFiltering = isFiltering;
    this._filter = '';
    this._emit();
    if (isFiltering) {
      this._filtering.emit();
    }
  }

  /** What can be typed into the field that finds something. */
  get suggestions(): readonly string[] {
    return suggestionsOf(this.models ?? []);
  }

  /** The rows from top to bottom. */
  get rows(): readonly ModelRow[] {
    const matches = parseFilter(this._filter);
    return buildModelRows({
      models: (this.models ?? []).filter(matches),
      showsAll: name => this._filter.trim() !== '' || this._unfolded.has(name)
    });
  }

  /** List all versions of a model. */
  unfold(name: string): void {
    this._unfolded.add(name);
    this._emit();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.projects.changed.disconnect(this._onProjects, this);
    this._store?.changed.disconnect(this._emit, this);
    Signal.clearData(this);
  }

  private _onProjects(): void {
    const store = this.projects.current;
    if (store !== this._store) {
      this._store?.changed.disconnect(this._emit, this);
      this._store = store;
      this._unfolded.clear();
      store?.changed.connect(this._emit, this);
    }
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _filtering = new Signal<this, void>(this);
  private readonly _unfolded = new Set<string>();
  private _store: ProjectStore | null = null;
  private _filter = '';
  private _isFiltering = false;
  private _isDisposed = false;
}
