/** Reading delimited text, as far as it is shown. */

/** A table as texts; rows may differ in length. */
export interface ITable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Whether there are more rows than these. */
  readonly hasMore: boolean;
}

/**
 * Read the first rows of CSV or TSV.
 *
 * @param isCut - whether the text ends anywhere, so that its last row may be incomplete
 */
export function readTable(
  text: string,
  delimiter: string,
  most: number,
  isCut: boolean
): ITable {
  const rows: string[][] = [];
  const reader = new Reader(text, delimiter);
  while (!reader.isDone && rows.length <= most + 1) {
    rows.push(reader.row());
  }
  if (isCut && reader.isDone && rows.length > 1) {
    rows.pop();
  }
  const [head = [], ...rest] = rows;
  const hasMore = isCut || rest.length > most || !reader.isDone;
  return { head, rows: rest.slice(0, most), hasMore };
}

class Reader {
  constructor(
    text: string,
    private readonly delimiter: string
  ) {
    // What some programs put before UTF-8.
    this._text = text.replace(/^\uFEFF/, '');
  }

  get isDone(): boolean {
    return this._at >= this._text.length;
  }

  /** Read the fields up to the end of the line. */
  row(): string[] {
    const fields = [this._field()];
    while (this._text[this._at] === this.delimiter) {
      this._at += 1;
      fields.push(this._field());
    }
    if (this._text[this._at] === '\r') {
      this._at += 1;
    }
    if (this._text[this._at] === '\n') {
      this._at += 1;
    }
    return fields;
  }

  private _field(): string {
    let found = '';
    if (this._text[this._at] === '"') {
      found = this._quoted();
    }
    const start = this._at;
    while (!this.isDone && !this._endsField(this._text[this._at] ?? '')) {
      this._at += 1;
    }
    return found + this._text.slice(start, this._at);
  }

  /** Read what stands between quotes; two of them are one. */
  private _quoted(): string {
    let found = '';
    for (;;) {
      const end = this._text.indexOf('"', this._at + 1);
      if (end < 0) {
        found += this._text.slice(this._at + 1);
        this._at = this._text.length;
        return found;
      }
      found += this._text.slice(this._at + 1, end);
      this._at = end + 1;
      if (this._text[this._at] !== '"') {
        return found;
      }
      found += '"';
    }
  }

  private _endsField(character: string): boolean {
    return (
      character === this.delimiter || character === '\n' || character === '\r'
    );
  }

  private readonly _text: string;
  private _at = 0;
}
