/** The section of features in the sidebar, with their number in its title. */
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
import type { IRowHandlers } from '../runs/handlers';
import type { FeaturesModel } from './model';
import { FeaturesView } from './view';

export interface IFeaturesPanelOptions {
  readonly features: FeaturesModel;
  readonly commands: CommandRegistry;
  readonly handlers: IRowHandlers;
  readonly trans: TranslationBundle;
}

export class FeaturesPanel extends PanelWithToolbar {
  constructor(private readonly options: IFeaturesPanelOptions) {
    super();
    const { features, commands, trans } = options;
    this.addClass('jp-Mlops-sectionPanel');
    this.title.label = trans.__('Features');
    this.title.dataset = { section: 'features' };
    this.toolbar.node.setAttribute('aria-label', trans.__('Features toolbar'));
    this.toolbar.addItem(
      'compute',
      new CommandToolbarButton({
        commands,
        id: CommandIDs.computeFeatures,
        icon: runIcon,
        label: ''
      })
    );
    this.addWidget(
      ReactWidget.create(
        <FeaturesView
          {...options}
          onCreate={() => void commands.execute(CommandIDs.writeFeature)}
          onOpenModule={path =>
            void commands.execute(CommandIDs.openFeatureModule, { path })
          }
        />
      )
    );
    features.changed.connect(this._onFeatures, this);
    this._onFeatures();
  }

  override dispose(): void {
    this.options.features.changed.disconnect(this._onFeatures, this);
    this.options.features.want(false);
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this.options.features.want(this.isVisible);
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.options.features.want(true);
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this.options.features.want(false);
  }

  private _onFeatures(): void {
    const { features, trans } = this.options;
    const { total, problems } = features;
    const wrong = problems.length;
    this.title.label = [
      total ? trans.__('Features %1', total) : trans.__('Features'),
      ...(wrong > 0 ? [trans._n('%1 problem', '%1 problems', wrong)] : [])
    ].join(' · ');
  }
}
