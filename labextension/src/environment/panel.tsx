/** The section of the environment in the sidebar, with the number of problems in its title. */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  checkIcon,
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';

import { CommandIDs } from '../commands';
import type { EnvironmentModel } from './model';
import { EnvironmentView } from './view';

export interface IEnvironmentPanelOptions {
  readonly environment: EnvironmentModel;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}

export class EnvironmentPanel extends PanelWithToolbar {
  constructor(private readonly options: IEnvironmentPanelOptions) {
    super();
    const { environment, commands, trans } = options;
    this.addClass('jp-Mlops-sectionPanel');
    this.title.dataset = { section: 'environment' };
    this.toolbar.node.setAttribute(
      'aria-label',
      trans.__('Environment toolbar')
    );
    this.toolbar.addItem(
      'doctor',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.doctor,
        icon: checkIcon,
        label: ''
      })
    );
    this.addWidget(
      ReactWidget.create(<EnvironmentView model={environment} trans={trans} />)
    );
    environment.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  override dispose(): void {
    this.options.environment.changed.disconnect(this._onChanged, this);
    this.options.environment.want(false);
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this.options.environment.want(this.isVisible);
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.options.environment.want(true);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this.options.environment.want(false);
  }

  private _onChanged(): void {
    const { environment, trans } = this.options;
    const wrong = environment.clusters.filter(each => each.problem !== null);
    this.title.label = [
      trans.__('Environment'),
      ...(wrong.length > 0
        ? [trans._n('%1 problem', '%1 problems', wrong.length)]
        : [])
    ].join(' · ');
  }
}
