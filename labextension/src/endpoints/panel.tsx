/** The section of endpoints in the sidebar. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { PanelWithToolbar, ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';

import type { IRowHandlers } from '../runs/handlers';
import type { EndpointsModel } from './model';
import { EndpointsView } from './view';

export interface IEndpointsPanelOptions {
  readonly endpoints: EndpointsModel;
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class EndpointsPanel extends PanelWithToolbar {
  constructor(options: IEndpointsPanelOptions) {
    super();
    this._model = options.endpoints;
    this.addClass('jp-Mlops-sectionPanel');
    this.title.label = options.trans.__('Endpoints');
    this.title.dataset = { section: 'endpoints' };
    this.addWidget(ReactWidget.create(<EndpointsView {...options} />));
  }

  override dispose(): void {
    this._model.want(false);
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._model.want(this.isVisible);
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._model.want(true);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._model.want(false);
  }

  private readonly _model: EndpointsModel;
}
