/** A feature's tab: head, and below it values, checks, facts, lineage and code. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import { Panel } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import { mlopsIcon } from '../icons';
import { createMeasure } from '../pipeline/measure';
import type { Targets } from '../targets';
import { CodeView } from './code';
import { FeatureHead } from './head';
import type { IFeatureModelOptions } from './model';
import { FeatureModel } from './model';
import { Facts, Lineage, Look } from './parts';
import { isReadableFile } from './words';

export interface IFeaturePanelOptions extends Omit<
  IFeatureModelOptions,
  'isShown'
> {
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
  /** Open a file of the project, at a line. */
  readonly openFile: (path: string, line?: number) => void;
}

export class FeaturePanel extends Panel {
  constructor(private readonly options: IFeaturePanelOptions) {
    super();
    const { trans, rendermime, openFile } = options;
    const model = new FeatureModel({
      ...options,
      isShown: () => this.isVisible
    });
    this.model = model;
    this.addClass('jp-Mlops-featurePanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    this.title.label = model.name;
    this.title.caption = trans.__('Feature %1', model.name);
    const shared = { model, trans };
    this._head = ReactWidget.create(
      <FeatureHead {...shared} onCommand={id => this._execute(id)} />
    );
    const onNode = (kind: string, name: string): void => {
      this._openNode(kind, name);
    };
    const body = new Panel();
    body.addClass('jp-Mlops-featureBody');
    const add = (widget: Widget, name: string): void => {
      widget.addClass(`jp-Mlops-feature${name}`);
      body.addWidget(widget);
    };
    add(ReactWidget.create(<Look {...shared} />), 'Look');
    add(
      ReactWidget.create(
        <Facts {...shared} onNode={onNode} onOpen={openFile} />
      ),
      'Facts'
    );
    add(
      ReactWidget.create(
        <Lineage {...shared} measure={createMeasure()} onNode={onNode} />
      ),
      'Lineage'
    );
    add(new CodeView(model, rendermime, trans, openFile), 'Code');
    this.addWidget(this._head);
    this.addWidget(body);
    this._body = body;
    // What the palette does is then done with this feature.
    this.node.addEventListener('focusin', () => this._point());
    model.changed.connect(this._onModel, this);
  }

  readonly model: FeatureModel;

  override dispose(): void {
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this.model.dispose();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this.model.refresh();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.model.refresh();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this._point();
    if (!this.node.contains(document.activeElement)) {
      this._isToFocus = true;
      this._onModel();
    }
  }

  private _onModel(): void {
    const button = this._head.node.querySelector<HTMLElement>('button');
    if (this._isToFocus && button) {
      this._isToFocus = false;
      button.focus();
    }
    if (this.node.contains(document.activeElement)) {
      this._point();
    }
  }

  private _point(): void {
    const { feature, store } = this.model;
    if (feature) {
      this.options.targets.focus({ kind: 'feature', store, feature });
    }
  }

  /** Run a command on the feature, as if it was chosen from the feature's own menu. */
  private _execute(command: string): void {
    const { commands, targets } = this.options;
    const { feature, store } = this.model;
    if (feature) {
      targets.point({ kind: 'feature', store, feature });
      void commands.execute(command);
      targets.release();
    }
  }

  /** Open what a node of the lineage stands for. */
  private _openNode(kind: string, name: string): void {
    const { commands, openFile } = this.options;
    const project = this.model.store.project.path;
    if (kind === 'feature') {
      void commands.execute(CommandIDs.openFeature, { project, name });
    } else if (kind === 'endpoint') {
      void commands.execute(CommandIDs.openEndpoint, { project, name });
    } else if (kind === 'version') {
      const [, model = '', version = ''] = /^(.*)\/(\d+)$/.exec(name) ?? [];
      const args = { project, name: model, version: Number(version) };
      void commands.execute(CommandIDs.openModel, args);
    } else if (kind === 'source') {
      const source = this.model.detail?.sources.find(
        each => each.name === name
      );
      if (source && isReadableFile(source.place)) {
        openFile(source.place);
      } else {
        this._showSource(name);
      }
    }
  }

  /** Go to what is said of a source that no tab can show. */
  private _showSource(name: string): void {
    this._body.node
      .querySelector<HTMLElement>(`[data-source="${CSS.escape(name)}"]`)
      ?.focus();
  }

  private readonly _head: Widget;
  private readonly _body: Panel;
  private _isToFocus = false;
}
