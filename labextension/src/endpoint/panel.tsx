/** An endpoint's tab: head, and below it the form, the monitoring or the log. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import { Panel } from '@lumino/widgets';

import { Tabs } from '../components/tabs';
import { mlopsIcon } from '../icons';
import type { Targets } from '../targets';
import { EndpointHead } from './head';
import type { IEndpointModelOptions } from './model';
import { EndpointModel } from './model';
import { Monitoring } from './monitoringview';
import { Log, partLabel } from './parts';
import type { Part } from './state';
import { PARTS } from './state';
import { TrialView } from './trialview';

export interface IEndpointPanelOptions extends Omit<
  IEndpointModelOptions,
  'isShown'
> {
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly trans: TranslationBundle;
}

export class EndpointPanel extends Panel {
  constructor(private readonly options: IEndpointPanelOptions) {
    super();
    const { trans } = options;
    const model = new EndpointModel({
      ...options,
      isShown: () => this.isVisible
    });
    this.model = model;
    this.addClass('jp-Mlops-endpointPanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    this.title.label = model.name;
    this.title.caption = trans.__('Endpoint %1', model.name);
    const onCommand = (command: string): void => {
      this._execute(command);
    };
    const shared = { model, trans, onCommand };
    this._parts = {
      try: ReactWidget.create(<TrialView {...shared} />),
      monitoring: ReactWidget.create(<Monitoring {...shared} />),
      log: ReactWidget.create(<Log {...shared} />)
    };
    this.addWidget(ReactWidget.create(<EndpointHead {...shared} />));
    const idOf = (part: Part): string => `mlops-${this.id}-${part}`;
    const tabs = ReactWidget.create(
      <Tabs
        model={model}
        parts={PARTS}
        label={trans.__('What is known of the endpoint')}
        nameOf={part => partLabel(part, trans)}
        idOf={idOf}
      />
    );
    tabs.addClass('jp-Mlops-tabBar');
    this.addWidget(tabs);
    PARTS.forEach(part => {
      const widget = this._parts[part];
      widget.id = idOf(part);
      widget.addClass('jp-Mlops-part');
      widget.node.setAttribute('role', 'tabpanel');
      widget.node.ariaLabel = partLabel(part, trans);
      widget.node.tabIndex = 0;
      this.addWidget(widget);
    });
    model.changed.connect(this._onModel, this);
    this._onModel();
  }

  readonly model: EndpointModel;

  override dispose(): void {
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this.model.dispose();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this.model.refresh();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.querySelector<HTMLElement>('[role="tab"][tabindex="0"]')?.focus();
  }

  /** Run a command on the endpoint, as if it was chosen from the endpoint's own menu. */
  private _execute(command: string): void {
    const { commands, targets } = this.options;
    const { endpoint, store } = this.model;
    if (endpoint) {
      targets.point({ kind: 'endpoint', store, endpoint });
      void commands.execute(command).then(() => this.model.refresh());
      targets.release();
    }
  }

  private _onModel(): void {
    PARTS.forEach(each => {
      this._parts[each].setHidden(each !== this.model.part);
    });
  }

  private readonly _parts: Readonly<Record<Part, Widget>>;
}
