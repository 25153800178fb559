/** A search of the catalog as one types, of which only the pages that are looked at are fetched. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IFeatureQuery } from '../api/features';
import type { FeaturesView, FeatureView } from '../api/types';
import type { IProblem } from '../projects/problem';
import { toProblem } from '../projects/problem';
import { parseQuery, suggestionsOf } from './query';

/** Number of features that are fetched together. */
export const PAGE = 100;
/** What is typed is gathered for this long, in ms. */
export const GATHER = 150;

export type Ask = (query: IFeatureQuery) => Promise<FeaturesView>;

export class FeatureSearch implements IDisposable {
  constructor(private readonly ask: Ask) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What was typed. */
  get text(): string {
    return this._text;
  }

  set text(text: string) {
    if (text === this._text) {
      return;
    }
    this._text = text;
    this._range = [0, 1];
    clearTimeout(this._timer);
    this._timer = setTimeout(() => void this.refresh(), GATHER);
    this._changed.emit();
  }

  /** What was typed when the features that are shown were asked for. */
  get answeredText(): string {
    return this._answeredText;
  }

  /** The last answer, without regard to its page; null while there is none. */
  get view(): FeaturesView | null {
    return this._view;
  }

  /** Number of features that were found. */
  get count(): number {
    return this._view?.found ?? 0;
  }

  /** Why what is shown is not up to date, or null. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** What can be typed into the field that finds something. */
  get suggestions(): readonly string[] {
    return suggestionsOf(this._facets);
  }

  /** A feature by its place among those that were found, or null while it is not known. */
  at(index: number): FeatureView | null {
    return this._pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Somebody looks at the features from `first` on up to `last`, which is not among them. */
  want(first: number, last: number): void {
    this._range = [first, last];
    this._wantedPages()
      .filter(page => page * PAGE < this.count)
      .filter(page => !this._pages.has(page) && !this._loading.has(page))
      .forEach(page => void this._load(page));
  }

  /** Ask again for what is looked at, now. */
  async refresh(): Promise<void> {
    const text = this._text;
    const pages = text === this._answeredText ? this._wantedPages() : [0];
    await this._ask(async () => {
      const answers = await Promise.all(
        pages.map(page => this._page(text, page))
      );
      return () => {
        this._pages = new Map(
          answers.map(({ features }, at) => [pages[at] ?? 0, features])
        );
        this._keep(answers[0] ?? null, text);
      };
    });
  }

  /** Ask how many features there are, and not which. */
  async peek(): Promise<void> {
    await this._ask(async () => {
      const view = await this.ask({ limit: 1 });
      return () => {
        this._pages.clear();
        this._keep(view, '');
      };
    });
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._turn += 1;
    clearTimeout(this._timer);
    Signal.clearData(this);
  }

  /** Ask something in place of all that was asked; `work` returns what keeps the answer. */
  private async _ask(work: () => Promise<() => void>): Promise<void> {
    clearTimeout(this._timer);
    const turn = ++this._turn;
    this._loading.clear();
    try {
      const keep = await work();
      // The last question counts, whichever answer comes last.
      if (turn === this._turn) {
        keep();
        this._problem = null;
        this._emit();
      }
    } catch (error) {
      if (turn === this._turn) {
        this._problem = toProblem(error, this._problem);
        this._emit();
      }
    }
  }

  private _keep(view: FeaturesView | null, text: string): void {
    this._view = view;
    this._answeredText = text;
    if (text.trim() === '') {
      this._facets = view;
    }
  }

  /** Fetch a page that has come into view. */
  private async _load(page: number): Promise<void> {
    const turn = this._turn;
    this._loading.add(page);
    try {
      const { features } = await this._page(this._answeredText, page);
      if (turn === this._turn) {
        this._pages.set(page, features);
        this._loading.delete(page);
        this._emit();
      }
    } catch (error) {
      if (turn === this._turn) {
        this._loading.delete(page);
        this._problem = toProblem(error, this._problem);
        this._emit();
      }
    }
  }

  private _page(text: string, page: number): Promise<FeaturesView> {
    const query = parseQuery(text, this._facets);
    return this.ask({ ...query, offset: page * PAGE, limit: PAGE });
  }

  private _wantedPages(): readonly number[] {
    const [first, last] = this._range;
    const from = Math.floor(first / PAGE);
    const until = Math.floor(Math.max(first, last - 1) / PAGE);
    return Array.from({ length: until - from + 1 }, (_, at) => from + at);
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _loading = new Set<number>();
  private _pages = new Map<number, readonly FeatureView[]>();
  private _view: FeaturesView | null = null;
  /** What there is to filter by, of all features. */
  private _facets: FeaturesView | null = null;
  private _text = '';
  private _answeredText = '';
  private _range: readonly [first: number, last: number] = [0, 1];
  /** Number of the last question. */
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _problem: IProblem | null = null;
  private _isDisposed = false;
}
