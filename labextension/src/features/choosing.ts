/** Choosing a feature from a list that is searched as one types. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FeatureView } from '../api/types';
import type { ISubmittable } from '../components/dialog';
import type { Ask } from './search';
import { FeatureSearch } from './search';

/** So many are listed; more letters lead to the others. */
const LISTED = 50;

export class ChooserModel implements ISubmittable<FeatureView>, IDisposable {
  constructor(
    ask: Ask,
    /** What is to be done with the feature. */
    readonly submitLabel: string,
    /** Whether it can be done with a feature. */
    private readonly isPossible: (feature: FeatureView) => boolean
  ) {
    this.search = new FeatureSearch(ask);
    this.search.changed.connect(this._onSearch, this);
    void this.search.refresh();
  }

  readonly search: FeatureSearch;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What is listed, from top to bottom. */
  get listed(): readonly FeatureView[] {
    const count = Math.min(this.search.count, LISTED);
    return Array.from({ length: count }, (_, at) => this.search.at(at))
      .filter(each => each !== null)
      .filter(each => this.isPossible(each));
  }

  /** Number of features that were found and are not listed. */
  get more(): number {
    return Math.max(0, this.search.count - LISTED);
  }

  /** The one that is taken; the first unless another one was chosen. */
  get chosen(): FeatureView | null {
    const { listed } = this;
    return (
      listed.find(({ name }) => name === this._chosen) ?? listed[0] ?? null
    );
  }

  choose(name: string): void {
    this._chosen = name;
    this._changed.emit();
  }

  /** Go so many places down the list, or up. */
  move(step: number): void {
    const { listed, chosen } = this;
    const at = chosen ? listed.indexOf(chosen) + step : 0;
    const next = listed[Math.max(0, Math.min(listed.length - 1, at))];
    if (next) {
      this.choose(next.name);
    }
  }

  /** What is listed has to be what was typed. */
  get canSubmit(): boolean {
    return (
      this.chosen !== null && this.search.text === this.search.answeredText
    );
  }

  submit(): Promise<FeatureView | null> {
    return Promise.resolve(this.chosen);
  }

  get isDisposed(): boolean {
    return this.search.isDisposed;
  }

  dispose(): void {
    this.search.dispose();
    Signal.clearData(this);
  }

  private _onSearch(): void {
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _chosen: string | null = null;
}
