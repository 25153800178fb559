/** A model version's tab: its card, what it was made from, and how it differs from another one. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  CardView,
  ComparisonView,
  LineageView,
  ModelVersionView
} from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';
import type { ILease } from '../projects/stores';
import type { IModelState, Part } from './state';

export interface IModelTabOptions {
  /** The project's store; the model gives it back when it is disposed of. */
  readonly lease: ILease;
  readonly name: string;
  readonly version: number;
  readonly state: IModelState;
}

/** Tag of a version: the features of the catalog with their versions. */
const INGREDIENTS = 'mlops.ingredients';

export class ModelTabModel implements IDisposable {
  constructor(private readonly options: IModelTabOptions) {
    const { lease, name, version, state } = options;
    this.store = lease.store;
    this.name = name;
    this._version = version;
    this._state = state;
    this._want = this.store.want();
    this.store.changed.connect(this._onStore, this);
    this._onStore();
  }

  readonly store: ProjectStore;
  readonly name: string;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when the state that survives a reload has changed. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  get state(): IModelState {
    return this._state;
  }

  get version(): number {
    return this._version;
  }

  /** The version as it is listed, or null while it is not known or after it was removed. */
  get listed(): ModelVersionView | null {
    return this.versions.find(each => each.version === this.version) ?? null;
  }

  /** The names of what it was trained with that is in the catalog of features. */
  get ingredients(): ReadonlySet<string> {
    return new Set(ingredientsOf(this.listed));
  }

  /** All versions of the model, the newest first. */
  get versions(): readonly ModelVersionView[] {
    return (this.store.models ?? [])
      .filter(each => each.name === this.name)
      .sort((left, right) => right.version - left.version);
  }

  /** Whether there is no such version, or not any more. */
  get isGone(): boolean {
    return this.store.models !== null && this.listed === null;
  }

  get card(): CardView | null {
    return this._card;
  }

  get lineage(): LineageView | null {
    return this._lineage;
  }

  get comparison(): ComparisonView | null {
    return this._comparison;
  }

  get part(): Part {
    return this._state.part;
  }

  /** The version that it is compared with: the chosen one, else the one before; null if alone. */
  get other(): number | null {
    const numbers = this.versions
      .map(each => each.version)
      .filter(each => each !== this.version);
    const { other } = this._state;
    return other !== null && numbers.includes(other)
      ? other
      : (numbers.find(each => each < this.version) ?? numbers[0] ?? null);
  }

  /** Why the part that is shown cannot be, or null. */
  get problem(): string | null {
    return this._problems.get(this.part) ?? null;
  }

  show(part: Part): void {
    this._setState({ ...this._state, part });
  }

  compareWith(other: number): void {
    this._setState({ part: 'comparison', other });
  }

  /** Show another version of the model. */
  switchTo(version: number): void {
    if (version !== this._version) {
      this._version = version;
      this._forget();
      this._setState({ ...this._state, other: null });
    }
  }

  /** Ask for the part that is shown once more. */
  retry(): void {
    this._forget();
    void this._fetch();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.store.changed.disconnect(this._onStore, this);
    this._want.dispose();
    this.options.lease.dispose();
    Signal.clearData(this);
  }

  private _setState(state: IModelState): void {
    this._state = state;
    this._stateChanged.emit();
    void this._fetch();
    this._emit();
  }

  private _onStore(): void {
    const { models } = this.store;
    // Runs change the store too; the list of models is another one whenever it was fetched.
    if (models !== this._models) {
      this._models = models;
      const known = JSON.stringify(this.versions);
      if (known !== this._known) {
        this._known = known;
        this._fetched.clear();
        void this._fetch();
      }
    }
    this._emit();
  }

  private _forget(): void {
    this._fetched.clear();
    this._problems.clear();
    this._card = null;
    this._lineage = null;
    this._comparison = null;
  }

  /** Fetch the card, and what else is shown, unless it is there. */
  private async _fetch(): Promise<void> {
    const { name, version, part, other } = this;
    const { client, project } = this.store;
    const { registry } = client;
    const loads = [
      this._load('card', String(version), async () => {
        const card = await registry.card(project.path, name, version);
        return () => (this._card = card);
      })
    ];
    if (part === 'lineage') {
      const node = `version:${name}/${String(version)}`;
      const load = async (): Promise<() => void> => {
        const lineage = await registry.lineage(project.path, node);
        return () => (this._lineage = lineage);
      };
      loads.push(this._load('lineage', node, load));
    }
    if (part === 'comparison' && other !== null) {
      const pair = [other, version] as const;
      const load = async (): Promise<() => void> => {
        const found = await registry.compare(project.path, name, pair);
        return () => (this._comparison = found);
      };
      loads.push(this._load('comparison', pair.join(), load));
    }
    await Promise.all(loads);
  }

  /** Ask for a part unless that was done; `ask` returns what keeps the answer. */
  private async _load(
    part: Part,
    key: string,
    ask: () => Promise<() => void>
  ): Promise<void> {
    if (this._fetched.get(part) === key) {
      return;
    }
    this._fetched.set(part, key);
    try {
      const keep = await ask();
      // Meanwhile something else may have been asked for.
      if (this._fetched.get(part) === key) {
        keep();
        this._problems.delete(part);
      }
    } catch (error) {
      this._fetched.delete(part);
      this._problems.set(part, messageOf(error));
    }
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _want: IDisposable;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, void>(this);
  private readonly _problems = new Map<Part, string>();
  /** What each part was asked for. */
  private readonly _fetched = new Map<Part, string>();
  private _version: number;
  private _state: IModelState;
  private _models: readonly ModelVersionView[] | null = null;
  private _known = '';
  private _card: CardView | null = null;
  private _lineage: LineageView | null = null;
  private _comparison: ComparisonView | null = null;
  private _isDisposed = false;
}

function ingredientsOf(listed: ModelVersionView | null): readonly string[] {
  try {
    const found: unknown = JSON.parse(listed?.tags[INGREDIENTS] ?? '[]');
    return Array.isArray(found)
      ? found.flatMap(each => (Array.isArray(each) ? String(each[0]) : []))
      : [];
  } catch {
    return [];
  }
}
