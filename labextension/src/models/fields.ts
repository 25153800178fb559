/** A form of a few lines of text, for what is asked of models. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { RequestError } from '../api/request';
import type { ISubmittable } from '../components/dialog';
import { messageOf } from '../projects/problem';

export interface IOption {
  readonly value: string;
  readonly label: string;
}

export interface IField {
  /** What the server calls it. */
  readonly name: string;
  readonly label: string;
  readonly value?: string;
  readonly placeholder?: string;
  /** Values to choose from; others can be written. */
  readonly known?: readonly string[];
  /** Values of which one is to be chosen. */
  readonly options?: readonly IOption[];
  readonly isRequired?: boolean;
  /** Whether it may have several lines. */
  readonly isLong?: boolean;
}

/** The texts by the names of their fields, without space around them. */
export type Texts = Readonly<Record<string, string>>;

export class FieldsModel<T> implements ISubmittable<T> {
  constructor(
    readonly fields: readonly IField[],
    readonly submitLabel: string,
    private readonly send: (texts: Texts) => Promise<T>
  ) {
    fields.forEach(({ name, value }) => this._texts.set(name, value ?? ''));
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The field that is wrong, and why; a field of no such name is about all of them. */
  get error(): { readonly field: string; readonly message: string } | null {
    return this._error;
  }

  get canSubmit(): boolean {
    return (
      this._error === null &&
      this.fields.every(
        ({ name, isRequired }) => !isRequired || this.text(name).trim() !== ''
      )
    );
  }

  text(name: string): string {
    return this._texts.get(name) ?? '';
  }

  write(name: string, text: string): void {
    this._texts.set(name, text);
    this._error = null;
    this._changed.emit();
  }

  /** Send it. Returns null, and keeps the error, if the server refuses. */
  async submit(): Promise<T | null> {
    const texts = [...this._texts].map(([name, text]) => [name, text.trim()]);
    try {
      return await this.send(Object.fromEntries(texts) as Texts);
    } catch (error) {
      this._error = {
        field: error instanceof RequestError ? (error.field ?? '') : '',
        message: messageOf(error)
      };
      this._changed.emit();
      return null;
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _texts = new Map<string, string>();
  private _error: FieldsModel<T>['error'] = null;
}
