/** The section of models in the sidebar. */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  CommandToolbarButton,
  filterIcon,
  PanelWithToolbar,
  ReactWidget
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands';
import type { IRowHandlers } from '../runs/handlers';
import type { ModelsModel } from './model';
import { ModelsView } from './view';

export interface IModelsPanelOptions {
  readonly models: ModelsModel;
  readonly commands: CommandRegistry;
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class ModelsPanel extends PanelWithToolbar {
  constructor(options: IModelsPanelOptions) {
    super();
    const { models, commands, trans } = options;
    this.addClass('jp-Mlops-sectionPanel');
    this.title.label = trans.__('Models');
    this.title.dataset = { section: 'models' };
    this.toolbar.node.setAttribute('aria-label', trans.__('Models toolbar'));
    this.toolbar.addItem(
      'filter',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.filterModels,
        icon: filterIcon,
        label: ''
      })
    );
    this.addWidget(
      ReactWidget.create(<ModelsView {...options} model={models} />)
    );
  }
}
