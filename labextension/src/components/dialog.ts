/** A dialog that stays open until what was asked for has succeeded. */
import { Dialog } from '@jupyterlab/apputils';
import type { ReactWidget } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';

/** What a dialog needs to know of the form in it. */
export interface ISubmittable<T> {
  readonly changed: ISignal<unknown, void>;
  /** What the button says at present. */
  readonly submitLabel: string;
  readonly canSubmit: boolean;
  /** Carry it out. Returns null, and shows in the form why, if that fails. */
  readonly submit: () => Promise<T | null>;
}

export interface ISubmitDialogOptions<T> {
  readonly title: string;
  readonly body: ReactWidget;
  readonly form: ISubmittable<T>;
  readonly cancelLabel: string;
  readonly className: string;
  /** Selects the element that gets the focus. */
  readonly focus?: string;
}

const CANCEL = 0;
const ACCEPT = 1;

/** Enter and the accepting button submit the form; the dialog closes once that has succeeded. */
export class SubmitDialog<T> extends Dialog<unknown> {
  constructor(options: ISubmitDialogOptions<T>) {
    super({
      title: options.title,
      body: options.body,
      buttons: [
        Dialog.cancelButton({ label: options.cancelLabel }),
        Dialog.okButton({ label: options.form.submitLabel })
      ],
      defaultButton: ACCEPT,
      ...(options.focus !== undefined && { focusNodeSelector: options.focus })
    });
    this.addClass(options.className);
    this._form = options.form;
    this._form.changed.connect(this._update, this);
    this._update();
  }

  /** Show the dialog. Returns what submitting answered, or null if it was cancelled. */
  async ask(): Promise<T | null> {
    await this.launch();
    return this._answer;
  }

  override dispose(): void {
    this._form.changed.disconnect(this._update, this);
    super.dispose();
  }

  override resolve(index: number = ACCEPT): void {
    if (index === CANCEL) {
      super.resolve(index);
    } else {
      void this._submit();
    }
  }

  protected override _evtKeydown(event: KeyboardEvent): void {
    const { activeElement } = document;
    const isOwnButton =
      activeElement instanceof HTMLButtonElement &&
      activeElement.closest('.jp-Dialog-body') !== null;
    // A button of the form does what it says; the dialog would ignore Enter there.
    if (event.key !== 'Enter' || !isOwnButton) {
      super._evtKeydown(event);
    }
  }

  /** The form says whether it can be submitted, not the look of its fields. */
  protected override _checkValidation(): void {
    return;
  }

  private async _submit(): Promise<void> {
    if (!this._form.canSubmit || this._isSubmitting) {
      return;
    }
    this._isSubmitting = true;
    this._update();
    this._answer = await this._form.submit();
    this._isSubmitting = false;
    if (this._answer !== null) {
      super.resolve(ACCEPT);
    } else if (!this.isDisposed) {
      this._update();
    }
  }

  private _update(): void {
    const button = this.node.querySelector<HTMLButtonElement>(
      '.jp-Dialog-footer .jp-mod-accept'
    );
    const label = button?.querySelector('.jp-Dialog-buttonLabel');
    if (button && label) {
      label.textContent = this._form.submitLabel;
      button.ariaLabel = this._form.submitLabel;
      button.title = '';
      button.disabled = !this._form.canSubmit || this._isSubmitting;
    }
  }

  private readonly _form: ISubmittable<T>;
  private _answer: T | null = null;
  private _isSubmitting = false;
}
