/** The section of runs in the sidebar. */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  addIcon,
  CommandToolbarButton,
  filterIcon,
  PanelWithToolbar,
  ReactWidget
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands';
import type { IRowHandlers } from './handlers';
import type { RunsModel } from './model';
import { RunsView } from './view';

export interface IRunsPanelOptions {
  readonly model: RunsModel;
  readonly commands: CommandRegistry;
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class RunsPanel extends PanelWithToolbar {
  constructor(options: IRunsPanelOptions) {
    super();
    const { model, commands, handlers, trans } = options;
    this.addClass('jp-Mlops-sectionPanel');
    this.title.label = trans.__('Runs');
    this.title.dataset = { section: 'runs' };
    this.toolbar.node.setAttribute('aria-label', trans.__('Runs toolbar'));
    this.toolbar.addItem(
      'filter',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.filter,
        icon: filterIcon,
        label: ''
      })
    );
    this.toolbar.addItem(
      'run',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.run,
        icon: addIcon,
        label: trans.__('Run')
      })
    );
    const execute = (id: string) => (): void => void commands.execute(id);
    this.addWidget(
      ReactWidget.create(
        <RunsView
          model={model}
          trans={trans}
          handlers={handlers}
          onRun={execute(CommandIDs.run)}
          canTryExample={() =>
            commands.hasCommand(CommandIDs.example) &&
            commands.isVisible(CommandIDs.example)
          }
          onExample={execute(CommandIDs.example)}
        />
      )
    );
  }
}
