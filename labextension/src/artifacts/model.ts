/** The files that a run kept, the chosen one, and as much of it as is shown. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ArtifactClient, IArtifactPlace } from '../api/artifacts';
import type { ArtifactsView, ArtifactView } from '../api/types';
import { messageOf } from '../projects/problem';
import type { Kind } from './kinds';
import { bytesToRead, kindOf, showsPart } from './kinds';
import type { IArtifactRow } from './rows';
import { buildRows } from './rows';

/** Files up to this size are read for their hash without being asked, in bytes. */
const HASHED = 20_000_000;
/** Up to so many files, folders are open at first. */
const OPEN = 200;

/** Why a file is not shown: its type is not, it is too large, or it could not be read. */
export type Hindrance =
  | { readonly kind: 'large' }
  | { readonly kind: 'type' }
  | { readonly kind: 'failed'; readonly message: string };

/** As much of a file as is shown. */
export interface IPreview {
  readonly artifact: ArtifactView;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
  /** Whether the file has more than that. */
  readonly isCut: boolean;
}

export interface IArtifactsModelOptions {
  readonly client: ArtifactClient;
  /** Path of the project, relative to the server's root. */
  readonly project: string;
  readonly run: string;
}

export class ArtifactsModel implements IDisposable {
  constructor(private readonly options: IArtifactsModelOptions) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What the run kept, or null while that is not known. */
  get view(): ArtifactsView | null {
    return this._view;
  }

  /** Why the list, or a part of it, is missing. */
  get problem(): string | null {
    return this._problem ?? this._view?.problem ?? null;
  }

  get isLoading(): boolean {
    return this._loading > 0;
  }

  /** The tree from top to bottom. */
  get rows(): readonly IArtifactRow[] {
    const artifacts = this._view?.artifacts ?? [];
    return buildRows(
      artifacts,
      folder => this._expanded.get(folder) ?? artifacts.length <= OPEN
    );
  }

  /** The file that is shown. */
  get chosen(): ArtifactView | null {
    return this._chosen;
  }

  /** Null while it is read, and if it is not shown. */
  get preview(): IPreview | null {
    return this._preview;
  }

  get hindrance(): Hindrance | null {
    return this._hindrance;
  }

  /** The hash of the chosen file, or null while that is not known. */
  get sha256(): string | null {
    return this._sha256;
  }

  /** Whether the hash is being read. */
  get isHashing(): boolean {
    return this._hashing;
  }

  /** Ask what the run kept; what is shown stays until then. */
  async load(): Promise<void> {
    const { client, project, run } = this.options;
    this._loading += 1;
    this._emit();
    try {
      this._view = await client.list(project, run);
      this._problem = null;
    } catch (error) {
      this._problem = messageOf(error);
    }
    this._loading -= 1;
    this._emit();
  }

  /** Unfold or fold a folder. */
  expand(folder: string, isExpanded: boolean): void {
    this._expanded.set(folder, isExpanded);
    this._emit();
  }

  /** Show a file. */
  async choose(artifact: ArtifactView): Promise<void> {
    this._chosen = artifact;
    this._preview = null;
    this._hindrance = null;
    this._sha256 = artifact.sha256;
    this._emit();
    const isSmall = artifact.size !== null && artifact.size <= HASHED;
    await Promise.all([this._read(artifact), isSmall ? this.hash() : null]);
  }

  /** Show a file by its path; what is wrong is a problem. */
  async open(path: string): Promise<void> {
    await this.load();
    const found = this._view?.artifacts.find(each => each.path === path);
    if (found) {
      await this.choose(found);
    }
  }

  /** Read the hash of the chosen file. */
  async hash(): Promise<void> {
    const chosen = this._chosen;
    if (!chosen) {
      return;
    }
    this._hashing = true;
    this._emit();
    try {
      const found = await this.options.client.detail(this.place(chosen.path));
      if (chosen === this._chosen) {
        this._sha256 = found.sha256;
      }
    } catch (error) {
      if (chosen === this._chosen && !this._hindrance) {
        this._hindrance = { kind: 'failed', message: messageOf(error) };
      }
    }
    if (chosen === this._chosen) {
      this._hashing = false;
      this._emit();
    }
  }

  /** Where a file of the run is. */
  place(path: string): IArtifactPlace {
    const { project, run } = this.options;
    return { project, run, path };
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private async _read(artifact: ArtifactView): Promise<void> {
    const found = await readPreview(this.options.client, artifact, path =>
      this.place(path)
    );
    if (artifact === this._chosen) {
      if ('bytes' in found) {
        this._preview = found;
      } else {
        this._hindrance = found;
      }
      this._emit();
    }
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _expanded = new Map<string, boolean>();
  private _view: ArtifactsView | null = null;
  private _problem: string | null = null;
  private _loading = 0;
  private _chosen: ArtifactView | null = null;
  private _preview: IPreview | null = null;
  private _hindrance: Hindrance | null = null;
  private _sha256: string | null = null;
  private _hashing = false;
  private _isDisposed = false;
}

/** Read as much of a file as is shown, or tell why it is not. */
export async function readPreview(
  client: ArtifactClient,
  artifact: ArtifactView,
  place: (path: string) => IArtifactPlace
): Promise<Hindrance | IPreview> {
  const kind = kindOf(artifact.media_type);
  if (kind === null) {
    return { kind: 'type' };
  }
  const first = bytesToRead(kind, artifact.size);
  if (first === null) {
    return { kind: 'large' };
  }
  let bytes: Uint8Array;
  try {
    // One more tells whether there are more.
    bytes = await client.read(place(artifact.path), first + 1);
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) };
  }
  const isCut = bytes.length > first;
  return isCut && !showsPart(kind)
    ? { kind: 'large' }
    : { artifact, kind, bytes: bytes.subarray(0, first), isCut };
}
