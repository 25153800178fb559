/** A model version's tab: head, and below it the card, the lineage, a comparison or a form to try it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Panel, type Widget } from '@lumino/widgets';

import type { EndpointClient } from '../api/endpoints';
import { CommandIDs } from '../commands';
import { mlopsIcon } from '../icons';
import { createMeasure } from '../pipeline/measure';
import type { ILease } from '../projects/stores';
import type { Targets } from '../targets';
import { Card } from './card';
import { Comparison } from './comparison';
import { ModelHead } from './head';
import { Lineage } from './lineageview';
import type { IModelTabOptions } from './model';
import { ModelTabModel } from './model';
import { Serving } from './serving';
import type { Part } from './state';
import { PARTS } from './state';
import { TryIt } from './tryit';
import { tabLabel } from './words';

export interface IModelPanelOptions extends IModelTabOptions {
  readonly endpoints: EndpointClient;
  /** Use the project's store once more. */
  readonly acquire: () => ILease;
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly trans: TranslationBundle;
  /** Open a file of the project. */
  readonly openFile: (path: string) => void;
  /** Open a node of the lineage, by its kind and name. */
  readonly openNode: (kind: string, name: string) => void;
}

export class ModelPanel extends Panel {
  constructor(private readonly options: IModelPanelOptions) {
    super();
    const { trans, openFile, openNode } = options;
    const model = new ModelTabModel(options);
    this.model = model;
    this._serving = new Serving({
      ...options,
      store: model.store,
      isShown: () => this._isTrying
    });
    this.addClass('jp-Mlops-modelPanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    const onCommand = (command: string): void => this._execute(command);
    const idOf = (part: Part): string => `${this.id}-${part}`;
    const shared = { model, trans };
    this._head = ReactWidget.create(
      <ModelHead {...shared} onCommand={onCommand} idOf={idOf} />
    );
    this._parts = {
      card: ReactWidget.create(
        <Card
          {...shared}
          onCommand={onCommand}
          onOpen={openFile}
          onFeature={name => openNode('feature', name)}
        />
      ),
      lineage: ReactWidget.create(
        <Lineage {...shared} measure={createMeasure()} onOpen={openNode} />
      ),
      comparison: ReactWidget.create(<Comparison {...shared} />),
      try: ReactWidget.create(
        <TryIt
          {...shared}
          serving={this._serving}
          onOpenEndpoint={() => this._openEndpoint()}
        />
      )
    };
    this.id = `mlops-model-sheet-${String(++count)}`;
    this.addWidget(this._head);
    PARTS.forEach(part => {
      const widget = this._parts[part];
      widget.id = idOf(part);
      widget.addClass('jp-Mlops-part');
      widget.node.setAttribute('role', 'tabpanel');
      widget.node.ariaLabel = tabLabel(part, trans);
      widget.node.tabIndex = 0;
      this.addWidget(widget);
    });
    model.changed.connect(this._onModel, this);
    this._onModel();
  }

  readonly model: ModelTabModel;

  override dispose(): void {
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this._serving.dispose();
    this.model.dispose();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._refreshTrial();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    if (!this.node.contains(document.activeElement)) {
      this._head.node
        .querySelector<HTMLElement>('[role="tab"][tabindex="0"]')
        ?.focus();
    }
  }

  /** Run a command on the version, as if it was chosen from the version's own menu. */
  private _execute(command: string): void {
    const { commands, targets } = this.options;
    const { listed, store } = this.model;
    if (listed) {
      targets.point({ kind: 'model', store, model: listed });
      void commands.execute(command);
      targets.release();
    }
  }

  private _openEndpoint(): void {
    const { name, store } = this.model;
    const args = { project: store.project.path, name };
    void this.options.commands.execute(CommandIDs.openEndpoint, args);
  }

  /** Whether somebody looks at the form that tries the version. */
  private get _isTrying(): boolean {
    return this.isVisible && this.model.part === 'try';
  }

  private _refreshTrial(): void {
    if (this._isTrying) {
      void this._serving.refresh();
    }
  }

  private _onModel(): void {
    const { name, version, part } = this.model;
    const isNew = this._parts[part].isHidden;
    PARTS.forEach(each => {
      this._parts[each].setHidden(each !== part);
    });
    if (isNew) {
      this._refreshTrial();
    }
    this.title.label = `${name} v${String(version)}`;
    this.title.caption = this.title.label;
  }

  private readonly _serving: Serving;
  private readonly _head: Widget;
  private readonly _parts: Readonly<Record<Part, Widget>>;
}

/** Numbers the panels, for the ids of their parts. */
let count = 0;
