/** The section of models in the sidebar. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { PanelWithToolbar, ReactWidget } from '@jupyterlab/ui-components';

import type { IRowHandlers } from '../runs/handlers';
import type { RunsModel } from '../runs/model';
import { ModelsView } from './view';

export interface IModelsPanelOptions {
  readonly model: RunsModel;
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class ModelsPanel extends PanelWithToolbar {
  constructor(options: IModelsPanelOptions) {
    super();
    this.addClass('jp-Mlops-sectionPanel');
    this.title.label = options.trans.__('Models');
    this.title.dataset = { section: 'models' };
    this.addWidget(ReactWidget.create(<ModelsView {...options} />));
  }
}
