/** A search among the runs of a sweep, in the words of `runs list --where`. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { FieldsView, RunView } from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';

/** The server is asked when nothing was typed for this long, in ms. */
const PAUSE = 300;
/** While runs change it is asked again at most this often, in ms. */
const PACE = 1500;
/** Names that need no quotes. */
const PLAIN = /^\w(?:[\w./:@-]*[\w@])?$/;

export class RunSearch implements IDisposable {
  constructor(
    private readonly store: ProjectStore,
    private readonly sweep: string,
    text: string
  ) {
    this._text = text;
    if (text !== '') {
      void this._ask();
    }
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when something else is searched. */
  get textChanged(): ISignal<this, void> {
    return this._textChanged;
  }

  /** The condition, such as `metrics.auc > 0.7`; empty finds all. */
  get text(): string {
    return this._text;
  }

  set text(text: string) {
    this._text = text;
    this._textChanged.emit();
    if (text.trim() === '') {
      this._asked += 1;
      clearTimeout(this._timer);
      this._timer = undefined;
      this._found = null;
      this._say(null);
    } else {
      this._schedule(PAUSE);
      this._changed.emit();
    }
  }

  /** Go to the field with the next rendering. */
  reach(): void {
    this._isReached = true;
    this._changed.emit();
  }

  /** Whether the next rendering goes to the field; reading it takes it. */
  takeReached(): boolean {
    const isReached = this._isReached;
    this._isReached = false;
    return isReached;
  }

  /** Ids of the runs that were found, or null if there is no condition. */
  get found(): ReadonlySet<string> | null {
    return this._found;
  }

  /** What is wrong with the condition, or null. */
  get problem(): string | null {
    return this._problem;
  }

  /** Why fewer runs may have been found than expected, such as a name that no run has. */
  get notes(): readonly string[] {
    return this._notes;
  }

  /** What can be written in place of the text, for the browser to offer. */
  get suggestions(): readonly string[] {
    return this._fields ? suggest(this._text, this._fields) : [];
  }

  /** Find out what can be searched by, unless that is known. */
  async learn(): Promise<void> {
    const { client, project } = this.store;
    if (!this._fields) {
      // What cannot be offered can still be typed.
      this._fields = await client.comparing
        .fields(project.path)
        .catch(() => null);
      this._emit();
    }
  }

  /** The runs are others than before, and perhaps others are found. */
  notice(runs: readonly RunView[]): void {
    if (runs !== this._runs) {
      this._runs = runs;
      if (this._text.trim() !== '' && this._timer === undefined) {
        this._schedule(PACE);
      }
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private _schedule(pause: number): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      this._timer = undefined;
      void this._ask();
    }, pause);
  }

  /** Ask the server; the last question counts. */
  private async _ask(): Promise<void> {
    this._asked += 1;
    const number = this._asked;
    const { client, project } = this.store;
    const where = this._text.trim();
    try {
      const page = await client.comparing.search(
        project.path,
        this.sweep,
        where
      );
      if (number === this._asked) {
        this._found = new Set(page.runs.map(({ id }) => id));
        this._say(null, page.notes);
      }
    } catch (error) {
      if (number === this._asked) {
        // What was found last stays while something is mended.
        this._say(messageOf(error).replace(/^where, a/, 'A'));
      }
    }
  }

  private _say(problem: string | null, notes: readonly string[] = []): void {
    this._problem = problem;
    this._notes = notes;
    this._emit();
  }

  private _emit(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _textChanged = new Signal<this, void>(this);
  private _text: string;
  private _found: ReadonlySet<string> | null = null;
  private _problem: string | null = null;
  private _notes: readonly string[] = [];
  private _fields: FieldsView | null = null;
  private _runs: readonly RunView[] | null = null;
  private _isReached = false;
  private _asked = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

/** Complete the last word of a condition to the names of fields. */
export function suggest(text: string, fields: FieldsView): readonly string[] {
  const [word = ''] = /[\w.]*$/.exec(text) ?? [];
  const before = text.slice(0, text.length - word.length);
  const named = (group: string, names: readonly string[]): readonly string[] =>
    names.map(
      name => `${group}.${PLAIN.test(name) ? name : JSON.stringify(name)}`
    );
  return [
    ...named('metrics', fields.metrics),
    ...named('params', fields.parameters),
    ...fields.facts
  ]
    .filter(each => each.includes(word) && each !== word)
    .map(each => before + each);
}
