/** The section of runs: which sweeps and runs of the current project are shown. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';
import { isFinished } from '../status';
import type { Row } from './rows';
import { buildRows, isSingle } from './rows';

/** Single runs are looked into for their cell or error only if they are this new. */
const LOOKED_INTO = 20;

/** Shows the current project's store, filtered, with some sweeps expanded. */
export class RunsModel implements IDisposable {
  constructor(readonly projects: ProjectsModel) {
    projects.changed.connect(this._onProjects, this);
    this._onProjects();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get store(): ProjectStore | null {
    return this._store;
  }

  /** What rows have to contain: part of a notebook's name, parameters, status or error. */
  get filter(): string {
    return this._filter;
  }

  set filter(filter: string) {
    this._filter = filter;
    this._changed.emit();
  }

  /** Whether the field of the filter is shown. */
  get isFiltering(): boolean {
    return this._isFiltering;
  }

  set isFiltering(isFiltering: boolean) {
    this._isFiltering = isFiltering;
    this._filter = '';
    this._changed.emit();
  }

  /** The sweep that the next rendering scrolls to and gives the focus; reading it takes it. */
  takeRevealed(): string | null {
    const revealed = this._revealed;
    this._revealed = null;
    return revealed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._watches.forEach(watch => watch.dispose());
    this._watches.clear();
    Signal.clearData(this);
  }

  /** Return the rows from top to bottom, those of `held` in its order. */
  rows(held: readonly string[] | null): readonly Row[] {
    const store = this._store;
    return store
      ? buildRows({
          sweeps: store.sweeps,
          runsOf: id => store.runs(id),
          isExpanded: id => this.isExpanded(id),
          filter: this._filter,
          held
        })
      : [];
  }

  /** Fetch everything again, after something went wrong. */
  async retry(): Promise<void> {
    await this.projects.retry();
    await this._store?.refresh();
  }

  /** Whether a sweep's runs are listed: if somebody asked for it, else while it is under way. */
  isExpanded(sweep: string): boolean {
    const status = this._store?.sweep(sweep)?.status;
    return (
      this._expanded.get(sweep) ??
      (status !== undefined && (!isFinished(status) || this._wasActive(sweep)))
    );
  }

  expand(sweep: string, isExpanded: boolean): void {
    this._expanded.set(sweep, isExpanded);
    this._update();
  }

  /** Show a sweep that was just started. */
  reveal(sweep: string): void {
    this._revealed = sweep;
    this._filter = '';
    this.expand(sweep, true);
  }

  /** What was under way when it was first seen stays expanded when it ends. */
  private _wasActive(sweep: string): boolean {
    return this._active.has(sweep);
  }

  private _onProjects(): void {
    const store = this.projects.current;
    if (store !== this._store) {
      this._watches.forEach(watch => watch.dispose());
      this._watches.clear();
      this._store?.changed.disconnect(this._update, this);
      this._store = store;
      store?.changed.connect(this._update, this);
    }
    this._update();
  }

  private _update(): void {
    if (this._isDisposed) {
      return;
    }
    const wanted = new Set<string>();
    this._store?.sweeps.forEach((sweep, index) => {
      if (!isFinished(sweep.status)) {
        this._active.add(sweep.id);
      }
      const isWanted = isSingle(sweep)
        ? index < LOOKED_INTO && sweep.status !== 'succeeded'
        : this.isExpanded(sweep.id);
      if (isWanted) {
        wanted.add(sweep.id);
      }
    });
    this._watch(wanted);
    this._changed.emit();
  }

  private _watch(wanted: ReadonlySet<string>): void {
    for (const [id, watch] of this._watches) {
      if (!wanted.has(id)) {
        watch.dispose();
        this._watches.delete(id);
      }
    }
    for (const id of wanted) {
      if (!this._watches.has(id) && this._store) {
        this._watches.set(id, this._store.watch(id));
      }
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _expanded = new Map<string, boolean>();
  private readonly _active = new Set<string>();
  private readonly _watches = new Map<string, IDisposable>();
  private _store: ProjectStore | null = null;
  private _filter = '';
  private _isFiltering = false;
  private _revealed: string | null = null;
  private _isDisposed = false;
}
