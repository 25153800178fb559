/** The form of "Run with parameters…": what was typed, what it means and what is wrong with it. */
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { MlopsClient } from '../api/client';
import { RequestError } from '../api/request';
import type {
  ExecutorView,
  ParametersView,
  ParameterView,
  PreviewView,
  ProjectView,
  SharingView,
  SweepView
} from '../api/types';
import { messageOf } from '../projects/problem';
import type { IOptions, OptionName } from './options';
import {
  DEFAULT_OPTIONS,
  directionOf,
  freeParameters,
  optionErrors,
  toSpaceRequest,
  toSubmitRequest
} from './options';

/** Typing rests for this long, in ms, before the runs are counted. */
const DELAY = 250;

/** A notebook's form. */
export class FormModel implements IDisposable {
  constructor(
    private readonly client: MlopsClient,
    readonly project: ProjectView,
    /** Path of the notebook, relative to the project. */
    readonly notebook: string
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What the notebook declares, or null while it is not known. */
  get declared(): ParametersView | null {
    return this._declared;
  }

  get options(): IOptions {
    return this._options;
  }

  /** How many runs the present values make, or null while that is not known. */
  get preview(): PreviewView | null {
    return this._preview;
  }

  /** Which cells the runs would share, or null while that is not known. */
  get sharing(): SharingView | null {
    return this._sharing;
  }

  /** Where the runs may go; empty while that is not known. */
  get executors(): readonly ExecutorView[] {
    return this._executors;
  }

  /** Where they go, or null while that is not known. */
  get place(): ExecutorView | null {
    const { executor } = this._options;
    const isIt = (each: ExecutorView): boolean =>
      executor === '' ? each.default : each.name === executor;
    return this._executors.find(isIt) ?? null;
  }

  /** Whether the preview belongs to earlier values. */
  get isCounting(): boolean {
    return this._isCounting;
  }

  /** Names of options that cannot be read, to be explained by the view. */
  get unreadable(): ReadonlySet<OptionName> {
    return optionErrors(this._options);
  }

  /** Whether nothing is known to be wrong; while runs are being counted that is open. */
  get canSubmit(): boolean {
    const isCounted =
      (this._preview?.count ?? 0) > 0 &&
      Object.keys(this._preview?.errors ?? {}).length === 0;
    return (
      this._declared !== null &&
      this.unreadable.size === 0 &&
      (this._isCounting || isCounted)
    );
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    Signal.clearData(this);
  }

  /** Ask what the notebook declares, and fill in what was last submitted or the defaults. */
  async load(): Promise<void> {
    const { path } = this.project;
    try {
      const [declared, executors] = await Promise.all([
        this.client.parameters(path, this.notebook),
        // Without them runs go where the settings say.
        this.client.executors(path).catch(() => [])
      ]);
      this._executors = executors;
      this._declared = declared;
      this._errors = {};
      declared.parameters.forEach(({ name, default_text }) => {
        this._texts.set(
          name,
          declared.last_space?.[name] ?? default_text ?? ''
        );
      });
      this._options = {
        ...this._options,
        metric: declared.last_metric ?? '',
        direction: directionOf(declared)
      };
    } catch (error) {
      this._takeError(error);
    }
    await this._count();
  }

  /** What stands in a parameter's field. */
  text(name: string): string {
    return this._texts.get(name) ?? '';
  }

  setText(name: string, text: string): void {
    this._texts.set(name, text);
    this._touch(name);
  }

  /** Whether a field holds something else than the parameter's default. */
  isChanged(parameter: ParameterView): boolean {
    return (
      this.text(parameter.name).trim() !== (parameter.default_text ?? '').trim()
    );
  }

  setOption<K extends OptionName>(name: K, value: IOptions[K]): void {
    this._options = { ...this._options, [name]: value };
    this._touch(name);
  }

  /** What is wrong with a field; the empty name is about the whole. */
  errorOf(name: string): string | null {
    return this._errors[name] ?? this._preview?.errors[name] ?? null;
  }

  /** The parameters to be sent: those that differ from their defaults. */
  get space(): Readonly<Record<string, string>> {
    const changed = (this._declared?.parameters ?? []).filter(
      parameter =>
        this.text(parameter.name).trim() !== '' && this.isChanged(parameter)
    );
    const texts = changed.map(({ name }) => [name, this.text(name).trim()]);
    return {
      ...(Object.fromEntries(texts) as Record<string, string>),
      ...freeParameters(this._options.free)
    };
  }

  /** Start the runs. Returns null, and keeps the error, if something is wrong. */
  async submit(): Promise<SweepView | null> {
    if (this._isCounting) {
      clearTimeout(this._timer);
      await this._count();
    }
    if (!this.canSubmit) {
      return null;
    }
    const kind = this._preview?.count === 1 ? 'run' : 'sweep';
    try {
      return await this.client.submit(this.project.path, {
        ...toSubmitRequest(this.notebook, this.space, this._options),
        kind
      });
    } catch (error) {
      this._takeError(error);
      return null;
    }
  }

  private _touch(name: string): void {
    this._errors = Object.fromEntries(
      Object.entries(this._errors).filter(
        ([field]) => field !== name && field !== ''
      )
    );
    this._isCounting = true;
    this._changed.emit();
    clearTimeout(this._timer);
    this._timer = setTimeout(() => {
      void this._count();
    }, DELAY);
  }

  /** Count the runs; only the last of several counts matters. */
  private async _count(): Promise<void> {
    const turn = ++this._turn;
    const isLast = (): boolean => turn === this._turn && !this._isDisposed;
    if (this._declared && this.unreadable.size === 0) {
      try {
        const preview = await this.client.preview(
          this.project.path,
          toSpaceRequest(this.notebook, this.space, this._options)
        );
        if (isLast()) {
          this._preview = preview;
        }
      } catch (error) {
        if (isLast()) {
          this._preview = null;
          this._takeError(error);
        }
      }
    }
    if (isLast()) {
      this._isCounting = false;
      this._changed.emit();
      await this._explain(isLast);
    }
  }

  /** Ask what sharing cells would save; it is a hint, whose absence stands in nobody's way. */
  private async _explain(isLast: () => boolean): Promise<void> {
    if (!this._preview?.count) {
      return;
    }
    const sharing = await this.client
      .explain(
        this.project.path,
        toSpaceRequest(this.notebook, this.space, this._options)
      )
      .catch(() => null);
    if (isLast()) {
      this._sharing = sharing;
      this._changed.emit();
    }
  }

  private _takeError(error: unknown): void {
    const field = error instanceof RequestError ? (error.field ?? '') : '';
    this._errors = { ...this._errors, [field]: messageOf(error) };
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _texts = new Map<string, string>();
  private _executors: readonly ExecutorView[] = [];
  private _declared: ParametersView | null = null;
  private _options: IOptions = DEFAULT_OPTIONS;
  private _preview: PreviewView | null = null;
  private _sharing: SharingView | null = null;
  private _errors: Readonly<Record<string, string>> = {};
  private _isCounting = true;
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
