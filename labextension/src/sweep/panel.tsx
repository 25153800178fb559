/** A sweep's tab: head, search, table and chart. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { MessageLoop } from '@lumino/messaging';
import { BoxPanel, Panel, SplitPanel, Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { Choice } from '../components/choice';
import { useSignal } from '../components/hooks';
import { baseName } from '../format';
import { mlopsIcon } from '../icons';
import type { ILease } from '../projects/stores';
import type { Chosen } from '../runs/chosen';
import type { IRowHandlers } from '../runs/handlers';
import type { Targets } from '../targets';
import { ChartPanel } from './chartpanel';
import { SweepHead } from './head';
import { SweepModel } from './model';
import { SearchBox } from './searchbox';
import type { ISweepState } from './state';
import { SweepTable } from './table';

/** From this width on, in px, the chart stands beside the table. */
const WIDE = 900;

export interface ISweepPanelOptions {
  /** The project's store; the panel gives it back when it closes. */
  readonly lease: ILease;
  readonly id: string;
  readonly state: ISweepState;
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly chosen: Chosen;
  readonly handlers: IRowHandlers;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
}

export class SweepPanel extends Panel {
  constructor(private readonly options: ISweepPanelOptions) {
    super();
    const { lease, id, state, trans, handlers, chosen, rendermime } = options;
    const model = new SweepModel(lease, id, state);
    this.model = model;
    this.addClass('jp-Mlops-sweepPanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    this.chart = new ChartPanel(model, rendermime, trans);
    this._split = new SplitPanel({ spacing: 1 });
    this._split.addWidget(
      ReactWidget.create(
        <SweepTable
          model={model}
          trans={trans}
          handlers={handlers}
          chosen={chosen}
        />
      )
    );
    this._chartBox = this._createChartBox(trans);
    this._split.addWidget(this._chartBox);
    this._split.setRelativeSizes([3, 2]);
    const head = ReactWidget.create(
      <SweepHead
        model={model}
        chosen={chosen}
        trans={trans}
        onCommand={command => this._execute(command)}
      />
    );
    this._search = ReactWidget.create(
      <SearchBox model={model} trans={trans} onLeave={() => this._focusRow()} />
    );
    this.addWidget(head);
    this.addWidget(this._search);
    this.addWidget(this._split);
    // The head is as high as its text; the rest has to be laid out again when that changes.
    this._observer = new ResizeObserver(() => {
      MessageLoop.postMessage(this._split, Widget.ResizeMessage.UnknownSize);
    });
    this._observer.observe(head.node);
    model.changed.connect(this._onModel, this);
    this._onModel();
  }

  readonly model: SweepModel;
  readonly chart: ChartPanel;

  override dispose(): void {
    this._observer.disconnect();
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this.model.dispose();
  }

  protected override onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    const width = msg.width < 0 ? this.node.clientWidth : msg.width;
    this._split.orientation = width >= WIDE ? 'horizontal' : 'vertical';
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    if (!this._search.node.contains(document.activeElement)) {
      this._focusRow();
    }
  }

  private _focusRow(): void {
    const row = this.node.querySelector<HTMLElement>('tr[tabindex="0"]');
    row?.focus();
  }

  /** Run a command on the sweep, as if it was chosen from the sweep's own menu. */
  private _execute(command: string): void {
    const { commands, targets } = this.options;
    const { sweep, store } = this.model;
    if (sweep) {
      targets.point({ kind: 'sweep', store, sweep });
      void commands.execute(command);
      targets.release();
    }
  }

  private _onModel(): void {
    const { sweep, metrics } = this.model;
    this._chartBox.setHidden(metrics.length === 0);
    if (sweep) {
      this.title.label = baseName(sweep.notebook).replace(/\.ipynb$/, '');
      this.title.caption = `${sweep.notebook}\n${sweep.id}`;
    }
  }

  private _createChartBox(trans: TranslationBundle): Widget {
    const box = new BoxPanel({ direction: 'top-to-bottom', spacing: 0 });
    const choice = ReactWidget.create(
      <ChartChoice model={this.model} trans={trans} />
    );
    choice.addClass('jp-Mlops-metricChoice');
    BoxPanel.setStretch(choice, 0);
    BoxPanel.setStretch(this.chart, 1);
    box.addWidget(choice);
    box.addWidget(this.chart);
    return box;
  }

  private readonly _search: Widget;
  private readonly _split: SplitPanel;
  private readonly _chartBox: Widget;
  private readonly _observer: ResizeObserver;
}

/** Which metric is drawn, and single values against what. */
function ChartChoice(props: {
  readonly model: SweepModel;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  return (
    <>
      <Choice
        label={trans.__('Metric')}
        value={model.metric}
        values={model.metrics}
        onChange={name => model.chart(name)}
      />
      {model.axes.length > 1 && (
        <Choice
          label={trans.__('against')}
          value={model.axis}
          values={model.axes}
          onChange={name => model.drawAgainst(name)}
        />
      )}
    </>
  );
}
