/** The form that compares an endpoint's requests with the training data and with the truth. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { EndpointClient } from '../api/endpoints';
import type { SweepView } from '../api/types';
import { messageOf } from '../projects/problem';

/** What can be typed. */
export const FIELDS = ['input', 'allowed', 'labels', 'on', 'label'] as const;
export type Field = (typeof FIELDS)[number];

export class CompareForm {
  constructor(
    private readonly client: EndpointClient,
    private readonly project: string,
    private readonly name: string,
    private readonly version: number,
    readonly submitLabel: string
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why it was refused, or null. */
  get error(): string | null {
    return this._error;
  }

  value(field: Field): string {
    return this._values[field];
  }

  setValue(field: Field, value: string): void {
    this._values[field] = value;
    this._error = null;
    this._changed.emit();
  }

  get canSubmit(): boolean {
    const allowed = Number(this._values.allowed);
    return allowed >= 0 && allowed <= 1;
  }

  /** Queue the comparison. Returns null, and keeps the error, if the server refuses. */
  async submit(): Promise<SweepView | null> {
    const { allowed, on } = this._values;
    try {
      return await this.client.monitor(this.project, this.name, {
        version: this.version,
        input: given(this._values.input),
        allowed: allowed.trim() === '' ? null : Number(allowed),
        labels: given(this._values.labels),
        on: on.split(',').flatMap(each => given(each) ?? []),
        label: given(this._values.label)
      });
    } catch (error) {
      this._error = messageOf(error);
      this._changed.emit();
      return null;
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _values: Record<Field, string> = {
    input: '',
    allowed: '',
    labels: '',
    on: '',
    label: ''
  };
  private _error: string | null = null;
}

function given(text: string): string | null {
  return text.trim() || null;
}
