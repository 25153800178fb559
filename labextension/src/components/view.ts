/** A panel that follows a model for as long as it is seen, and catches up when it is shown. */
import type { Message } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Panel } from '@lumino/widgets';

export abstract class ModelView<T> extends Panel {
  constructor(private readonly changed: ISignal<T, void>) {
    super();
    changed.connect(this._onChanged, this);
  }

  override dispose(): void {
    this.changed.disconnect(this._onChanged, this);
    super.dispose();
  }

  /** Show what the model has now. It is called while the panel is visible. */
  protected abstract render(): void;

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._onChanged();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._onChanged();
  }

  private _onChanged(): void {
    if (this.isVisible) {
      this.render();
    }
  }
}
