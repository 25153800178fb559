/** The form that registers a run's model. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { RequestError } from '../api/request';
import type { ModelVersionView } from '../api/types';
import { messageOf } from '../projects/problem';
import type { ProjectStore } from '../projects/store';

/** What is registered: the model of a run, or of the best run of a sweep. */
export type Source =
  | { readonly run: string; readonly sweep?: never }
  | { readonly sweep: string; readonly run?: never };

export class RegisterModel {
  constructor(
    private readonly store: ProjectStore,
    private readonly source: Source,
    /** A name to begin with. */
    name: string,
    readonly submitLabel: string
  ) {
    this._name = name;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get name(): string {
    return this._name;
  }

  set name(name: string) {
    this._name = name;
    this._touch();
  }

  get alias(): string {
    return this._alias;
  }

  set alias(alias: string) {
    this._alias = alias;
    this._touch();
  }

  /** The names of registered models. */
  get knownNames(): readonly string[] {
    return [...new Set(this.store.models?.map(model => model.name))];
  }

  /** The aliases in use. */
  get knownAliases(): readonly string[] {
    return [...new Set(this.store.models?.flatMap(model => model.aliases))];
  }

  /** The field that is wrong, and why. */
  get error(): { readonly field: string; readonly message: string } | null {
    return this._error;
  }

  get canSubmit(): boolean {
    return this._name.trim() !== '' && this._error === null;
  }

  /** Register. Returns null, and keeps the error, if the server refuses. */
  async submit(): Promise<ModelVersionView | null> {
    const { client, project } = this.store;
    try {
      return await client.register(project.path, this._name.trim(), {
        ...this.source,
        alias: this._alias.trim().replace(/^@/, '') || null
      });
    } catch (error) {
      this._error = {
        field: error instanceof RequestError ? (error.field ?? '') : '',
        message: messageOf(error)
      };
      this._changed.emit();
      return null;
    }
  }

  private _touch(): void {
    this._error = null;
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _name: string;
  private _alias = '';
  private _error: RegisterModel['error'] = null;
}
