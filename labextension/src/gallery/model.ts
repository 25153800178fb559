/** The same picture of every run of a sweep. */
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { RunView, SweepView } from '../api/types';
import { bytesToRead, dataUrl, isImage, kindOf } from '../artifacts/kinds';
import { variedNames } from '../format';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';
import type { IWrittenCell } from '../run/cells';
import { writtenCells } from '../run/cells';
import { isFinished } from '../status';
import { compareByMetric } from '../runs/rows';
import { drawingCells, drawnIn } from './drawn';
import type { IPicture } from './pictures';
import { Pictures } from './pictures';
import type { IGalleryState, Size, Source } from './state';
import { sourceKey } from './state';

export interface IGalleryModelOptions {
  /** The project's store; the model gives it back when it is disposed of. */
  readonly lease: ILease;
  readonly id: string;
  readonly state: IGalleryState;
  /** Read a notebook by its path relative to the server's root. */
  readonly readNotebook: (path: string) => Promise<INotebookContent>;
}

export class GalleryModel implements IDisposable {
  constructor(private readonly options: IGalleryModelOptions) {
    const { lease, id, state } = options;
    this.store = lease.store;
    this.id = id;
    this._source = state.source;
    this._size = state.size;
    this._watch = this.store.watch(id);
    this.store.changed.connect(this._onStore, this);
    this._onStore();
  }

  readonly store: ProjectStore;
  readonly id: string;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): IGalleryState {
    return { source: this._source, size: this._size };
  }

  get sweep(): SweepView | null {
    return this.store.sweep(this.id);
  }

  /** Whether there is no such sweep, or not any more. */
  get isGone(): boolean {
    return this.store.isMissing(this.id);
  }

  /** The runs, the best first. */
  get runs(): readonly RunView[] {
    return [...(this.store.runs(this.id) ?? [])].sort(
      (left, right) => compareByMetric(left, right) || left.index - right.index
    );
  }

  /** The parameters that tell the runs apart. */
  get names(): readonly string[] {
    const { sweep } = this;
    return sweep ? variedNames(sweep, this.store.runs(this.id)) : [];
  }

  /** What can be shown, as far as the best run has it; null while that is not known. */
  get sources(): readonly Source[] | null {
    const { _source: chosen, _sources: found } = this;
    if (chosen === null) {
      return found;
    }
    const key = sourceKey(chosen);
    const others = (found ?? []).filter(each => sourceKey(each) !== key);
    return others.length === found?.length || !found
      ? [chosen, ...others]
      : found;
  }

  get source(): Source | null {
    return this._source ?? this._sources?.[0] ?? null;
  }

  get size(): Size {
    return this._size;
  }

  /** Why it is not known what can be shown. */
  get problem(): string | null {
    return this._problem;
  }

  picture(run: RunView): IPicture {
    return this._pictures.get(keyOf(run));
  }

  show(source: Source): void {
    this._source = source;
    this._pictures.clear();
    this._changed.emit();
    this._stateChanged.emit();
  }

  resize(size: Size): void {
    this._size = size;
    this._changed.emit();
    this._stateChanged.emit();
  }

  /** Somebody looks at the place of a run's picture. */
  want(run: RunView): void {
    const { source } = this;
    if (source && isFinished(run.status)) {
      this._pictures.want(keyOf(run), () => this._load(run, source));
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._pictures.clear();
    this.store.changed.disconnect(this._onStore, this);
    this._watch.dispose();
    this.options.lease.dispose();
    Signal.clearData(this);
  }

  private _onStore(): void {
    const { runs } = this;
    // What failed may have drawn something, too.
    const example =
      runs.find(run => run.status === 'succeeded') ??
      runs.find(run => isFinished(run.status));
    if (example && this._example === null) {
      this._example = example.id;
      void this._findSources(example);
    }
    this._emit();
  }

  private async _findSources(run: RunView): Promise<void> {
    const { client, project } = this.store;
    try {
      const [kept, cells] = await Promise.all([
        client.artifacts.list(project.path, run.id),
        this._cells(run)
      ]);
      this._sources = [
        ...kept.artifacts.filter(isImage).map(each => ({
          kind: 'file' as const,
          path: each.path,
          type: each.media_type
        })),
        ...drawingCells(cells).map(cell => ({ kind: 'cell' as const, cell }))
      ];
      this._problem = null;
    } catch (error) {
      this._problem = messageOf(error);
      this._example = null;
    }
    this._emit();
  }

  private async _cells(run: RunView): Promise<readonly IWrittenCell[]> {
    if (run.output === null) {
      return [];
    }
    const { path } = this.store.project;
    const { readNotebook } = this.options;
    return writtenCells(await readNotebook(PathExt.join(path, run.output)));
  }

  private async _load(run: RunView, source: Source): Promise<string | null> {
    if (source.kind === 'cell') {
      return drawnIn((await this._cells(run))[source.cell - 1]);
    }
    const { client, project } = this.store;
    const kind = kindOf(source.type);
    const first = kind && bytesToRead(kind, null);
    if (first === null) {
      return null;
    }
    const place = { project: project.path, run: run.id, path: source.path };
    const bytes = await client.artifacts.read(place, first + 1);
    return bytes.length > first ? null : dataUrl(source.type, bytes);
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _watch: IDisposable;
  private readonly _pictures = new Pictures(() => this._emit());
  private _source: Source | null;
  private _size: Size;
  private _sources: readonly Source[] | null = null;
  /** The run in which it was looked for pictures. */
  private _example: string | null = null;
  private _problem: string | null = null;
  private _isDisposed = false;
}

/** Another attempt may have drawn something else. */
function keyOf(run: RunView): string {
  return `${run.id} ${run.attempts} ${run.status}`;
}
