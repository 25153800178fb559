/** The section of the pipeline in the sidebar. */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget,
  runIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';

import { CommandIDs } from '../commands';
import { graphIcon } from '../icons';
import type { IRowHandlers } from '../runs/handlers';
import type { PipelineModel } from './model';
import { PipelineView } from './view';

export interface IPipelinePanelOptions {
  readonly pipeline: PipelineModel;
  readonly commands: CommandRegistry;
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class PipelinePanel extends PanelWithToolbar {
  constructor(options: IPipelinePanelOptions) {
    super();
    const { commands, handlers, trans } = options;
    this._model = options.pipeline;
    this.addClass('jp-Mlops-sectionPanel');
    this.title.label = trans.__('Pipeline');
    this.title.dataset = { section: 'pipeline' };
    this.toolbar.node.setAttribute('aria-label', trans.__('Pipeline toolbar'));
    const execute = (id: string) => (): void => void commands.execute(id);
    this.toolbar.addItem(
      'open',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.openPipeline,
        icon: graphIcon,
        label: ''
      })
    );
    this.toolbar.addItem(
      'run',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.runStale,
        icon: runIcon,
        label: trans.__('Run stale')
      })
    );
    this.addWidget(
      ReactWidget.create(
        <PipelineView
          model={this._model}
          trans={trans}
          handlers={handlers}
          onCancel={execute(CommandIDs.cancelPipeline)}
          onCreate={execute(CommandIDs.writePipeline)}
        />
      )
    );
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

  private readonly _model: PipelineModel;
}
