/** A run's tab: head, timeline of cells, and what the chosen cell has put out. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { MessageLoop } from '@lumino/messaging';
import { BoxPanel, Panel, SplitPanel, Widget } from '@lumino/widgets';

import { ArtifactsPanel } from '../artifacts/panel';
import { Tabs } from '../components/tabs';
import { baseName } from '../format';
import { mlopsIcon } from '../icons';
import type { Targets } from '../targets';
import { RunHead } from './head';
import type { IRunModelOptions } from './model';
import { RunModel } from './model';
import { OutputsPanel } from './outputs';
import { Context, Metrics, partLabel } from './sheet';
import type { Part } from './state';
import { PARTS } from './state';
import { CHOSEN, Timeline } from './timeline';

export interface IRunPanelOptions extends Omit<IRunModelOptions, 'isShown'> {
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
}

export class RunPanel extends Panel {
  constructor(private readonly options: IRunPanelOptions) {
    super();
    const { trans } = options;
    const model = new RunModel({ ...options, isShown: () => this.isVisible });
    this.model = model;
    this.addClass('jp-Mlops-runPanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    const head = ReactWidget.create(
      <RunHead
        model={model}
        trans={trans}
        onCommand={command => this._execute(command)}
      />
    );
    this.artifacts = new ArtifactsPanel({
      ...options,
      store: model.store,
      run: () => model.run,
      sweep: () => model.sweep
    });
    this._parts = {
      artifacts: this.artifacts,
      outputs: new OutputsPanel(model, options.rendermime, trans),
      metrics: ReactWidget.create(<Metrics model={model} trans={trans} />),
      context: ReactWidget.create(<Context model={model} trans={trans} />)
    };
    const timeline = ReactWidget.create(
      <Timeline model={model} trans={trans} />
    );
    timeline.addClass('jp-Mlops-timelineScroller');
    this._split = new SplitPanel({ spacing: 1 });
    this._split.addWidget(timeline);
    this._split.addWidget(this._createSheet(trans));
    this._split.setRelativeSizes([1, 2]);
    this.addWidget(head);
    this.addWidget(this._split);
    // The head is as high as its text; the rest has to be laid out again when that changes.
    this._observer = new ResizeObserver(() => {
      MessageLoop.postMessage(this._split, Widget.ResizeMessage.UnknownSize);
    });
    this._observer.observe(head.node);
    model.changed.connect(this._onModel, this);
    this._onModel();
  }

  readonly model: RunModel;
  readonly artifacts: ArtifactsPanel;

  override dispose(): void {
    this._observer.disconnect();
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this.model.dispose();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.querySelector<HTMLElement>(CHOSEN)?.focus();
  }

  /** Run a command on the run, as if it was chosen from the run's own menu. */
  private _execute(command: string): void {
    const { commands, targets } = this.options;
    const { run, sweep, store } = this.model;
    if (run && sweep) {
      targets.point({ kind: 'run', store, sweep, run });
      void commands.execute(command);
      targets.release();
    }
  }

  private _onModel(): void {
    const { run, part } = this.model;
    PARTS.forEach(each => {
      this._parts[each].setHidden(each !== part);
    });
    this.artifacts.refresh();
    if (run) {
      const name = baseName(run.notebook).replace(/\.ipynb$/, '');
      this.title.label =
        run.kind === 'sweep' ? `${name} #${String(run.index)}` : name;
      this.title.caption = `${run.notebook}\n${run.id}`;
    }
  }

  /** The tabs, and below them the part that is shown. */
  private _createSheet(trans: TranslationBundle): Widget {
    const box = new BoxPanel({ direction: 'top-to-bottom', spacing: 0 });
    const idOf = (part: Part): string => `mlops-${this.model.id}-${part}`;
    const tabs = ReactWidget.create(
      <Tabs
        model={this.model}
        parts={PARTS}
        label={trans.__('What is known of the run')}
        nameOf={part => partLabel(part, trans)}
        idOf={idOf}
      />
    );
    tabs.addClass('jp-Mlops-tabBar');
    BoxPanel.setStretch(tabs, 0);
    box.addWidget(tabs);
    PARTS.forEach(part => {
      const widget = this._parts[part];
      widget.id = idOf(part);
      widget.addClass('jp-Mlops-part');
      widget.node.setAttribute('role', 'tabpanel');
      widget.node.ariaLabel = partLabel(part, trans);
      widget.node.tabIndex = 0;
      BoxPanel.setStretch(widget, 1);
      box.addWidget(widget);
    });
    return box;
  }

  private readonly _parts: Readonly<Record<Part, Widget>>;
  private readonly _split: SplitPanel;
  private readonly _observer: ResizeObserver;
}
