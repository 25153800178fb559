/** The form that asks a served model: a field for each column of its signature. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IScored } from '../api/endpoints';
import type { ColumnView, EndpointDetail } from '../api/types';
import { messageOf } from '../projects/problem';

const NUMBERS: ReadonlySet<string> = new Set([
  'double',
  'float',
  'integer',
  'long'
]);

export class Trial {
  constructor(private readonly ask: (body: string) => Promise<IScored>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The columns that the model asks for; none if it has no signature of columns. */
  get columns(): readonly ColumnView[] {
    return this._columns;
  }

  /** The request as JSON, for a model without columns. */
  get text(): string {
    return this._text;
  }

  set text(text: string) {
    this._text = text;
    this._changed.emit();
  }

  get isAsking(): boolean {
    return this._answered < this._asked;
  }

  /** What was answered last, or null. */
  get answer(): IScored | null {
    return this._answer;
  }

  /** Take in what may be asked; what the user has typed stays. */
  describe(detail: EndpointDetail): void {
    const { columns, example } = detail;
    const same =
      JSON.stringify(columns) === JSON.stringify(this._columns) &&
      this._isDescribed;
    if (same) {
      return;
    }
    this._isDescribed = true;
    this._columns = columns;
    const row = firstRow(example);
    for (const { name } of columns) {
      if (!this._values.has(name)) {
        this._values.set(name, shown(row[name]));
      }
    }
    if (columns.length === 0 && this._text === '') {
      this._text = JSON.stringify(example ?? { inputs: [] }, null, 2);
    }
    this._changed.emit();
  }

  value(name: string): string {
    return this._values.get(name) ?? '';
  }

  setValue(name: string, value: string): void {
    this._values.set(name, value);
    this._changed.emit();
  }

  /** Ask the model. What it refuses, and nobody else, is wrong; the last question counts. */
  async submit(): Promise<void> {
    this._asked += 1;
    const number = this._asked;
    this._changed.emit();
    const answer = await this.ask(this._body()).catch((error: unknown) => {
      const message = messageOf(error);
      return { predictions: null, message, column: null, took: 0 };
    });
    if (number === this._asked) {
      this._answered = number;
      this._answer = answer;
      this._changed.emit();
    }
  }

  private _body(): string {
    if (this._columns.length === 0) {
      return this._text;
    }
    const entries = this._columns.flatMap(column => {
      const text = this.value(column.name).trim();
      return text === '' && (!column.required || column.type !== 'string')
        ? column.required
          ? [[column.name, null] as const]
          : []
        : [[column.name, parsed(column.type, text)] as const];
    });
    return JSON.stringify({ dataframe_records: [Object.fromEntries(entries)] });
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _values = new Map<string, string>();
  private _columns: readonly ColumnView[] = [];
  private _isDescribed = false;
  private _text = '';
  private _asked = 0;
  private _answered = 0;
  private _answer: IScored | null = null;
}

/** The value that a text means; one that is no number is sent as it is, for the model to refuse. */
function parsed(type: string, text: string): unknown {
  if (type === 'boolean') {
    return text === 'true' ? true : text === 'false' ? false : text;
  }
  const number = Number(text);
  return NUMBERS.has(type) && Number.isFinite(number) ? number : text;
}

/** The first row of a request that MLflow has kept with a model. */
function firstRow(example: unknown): Readonly<Record<string, unknown>> {
  if (typeof example !== 'object' || example === null) {
    return {};
  }
  const split = (example as { readonly dataframe_split?: unknown })
    .dataframe_split as
    | { readonly columns?: readonly string[]; readonly data?: unknown }
    | undefined;
  const data = split?.data;
  const row: unknown = Array.isArray(data) ? data[0] : null;
  if (!split?.columns || !Array.isArray(row)) {
    return {};
  }
  return Object.fromEntries(
    split.columns.map((name, index) => [name, row[index] as unknown])
  );
}

function shown(value: unknown): string {
  return value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}
