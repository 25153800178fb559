/** A gallery's tab: its head, and the pictures. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';

import { baseName } from '../format';
import { mlopsIcon } from '../icons';
import type { IRowHandlers } from '../runs/handlers';
import type { IGalleryModelOptions } from './model';
import { GalleryModel } from './model';
import { Gallery, GalleryHead } from './view';

export interface IGalleryPanelOptions extends IGalleryModelOptions {
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class GalleryPanel extends Panel {
  constructor(options: IGalleryPanelOptions) {
    super();
    const { trans, handlers } = options;
    this._trans = trans;
    const model = new GalleryModel(options);
    this.model = model;
    this.addClass('jp-Mlops-galleryPanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    this.addWidget(
      ReactWidget.create(<GalleryHead model={model} trans={trans} />)
    );
    const pictures = ReactWidget.create(
      <Gallery model={model} trans={trans} handlers={handlers} />
    );
    pictures.addClass('jp-Mlops-galleryScroller');
    this.addWidget(pictures);
    model.changed.connect(this._onModel, this);
    this._onModel();
  }

  readonly model: GalleryModel;

  override dispose(): void {
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this.model.dispose();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    const tile = '.jp-Mlops-tile[tabindex="0"]';
    this.node.querySelector<HTMLElement>(tile)?.focus();
  }

  private _onModel(): void {
    const { sweep } = this.model;
    if (sweep) {
      const name = baseName(sweep.notebook).replace(/\.ipynb$/, '');
      this.title.label = this._trans.__('%1: pictures', name);
      this.title.caption = `${sweep.notebook}\n${sweep.id}`;
    }
  }
  private readonly _trans: TranslationBundle;
}
