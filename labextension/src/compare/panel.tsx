/** A tab of compared runs: the head, and the part that is shown. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import { Panel } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import { mlopsIcon } from '../icons';
import type { ILease } from '../projects/stores';
import { CellDiffs } from './cells';
import { CurvesDrawing, ParallelDrawing } from './drawings';
import { CompareHead, partLabel } from './head';
import { CompareModel } from './model';
import type { ICompareState, Part } from './state';
import { PARTS } from './state';
import { CompareTable } from './table';

export interface IComparePanelOptions {
  /** The project's store; the panel gives it back when it closes. */
  readonly lease: ILease;
  readonly ids: readonly string[];
  readonly state: ICompareState;
  readonly commands: CommandRegistry;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
}

export class ComparePanel extends Panel {
  constructor(options: IComparePanelOptions) {
    super();
    const { lease, ids, state, commands, rendermime, trans } = options;
    const model = new CompareModel(lease, ids, state);
    this.model = model;
    this._trans = trans;
    this.addClass('jp-Mlops-comparePanel');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    const project = lease.store.project.path;
    const open = (command: string, args: Record<string, string>): void => {
      void commands.execute(command, { project, ...args });
    };
    this._curves = new CurvesDrawing(model, rendermime, trans);
    this._parallel = new ParallelDrawing(model, rendermime, trans);
    this._parts = {
      table: ReactWidget.create(
        <CompareTable
          model={model}
          trans={trans}
          onOpen={({ id, sweep_id: sweep }) =>
            open(CommandIDs.openRun, { run: id, sweep })
          }
        />
      ),
      curves: this._curves,
      parallel: this._parallel,
      cells: ReactWidget.create(<CellDiffs model={model} trans={trans} />)
    };
    const idOf = (part: Part): string => `${this.id}-${part}`;
    const head = ReactWidget.create(
      <CompareHead
        model={model}
        trans={trans}
        idOf={idOf}
        onGallery={() => {
          const sweep = model.runs[0]?.sweep_id;
          if (sweep !== undefined) {
            open(CommandIDs.openGallery, { sweep });
          }
        }}
      />
    );
    this.addWidget(head);
    PARTS.forEach(part => {
      const widget = this._parts[part];
      widget.addClass('jp-Mlops-part');
      const box = part === 'table' || part === 'cells' ? widget.node : null;
      box?.setAttribute('role', 'tabpanel');
      if (box) {
        box.ariaLabel = partLabel(part, trans);
        box.tabIndex = 0;
      }
      this.addWidget(widget);
    });
    // The head is as high as its text, and leaves the charts the rest.
    this._observer = new ResizeObserver(() => this.redraw());
    this._observer.observe(head.node);
    model.changed.connect(this._onModel, this);
    this._onModel();
  }

  readonly model: CompareModel;

  /** Draw the charts again, in the colours of another theme. */
  redraw(): void {
    this._curves.redraw();
    this._parallel.redraw();
  }

  override dispose(): void {
    this._observer.disconnect();
    this.model.changed.disconnect(this._onModel, this);
    super.dispose();
    this.model.dispose();
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    const tab = '[role="tab"][aria-selected="true"]';
    this.node.querySelector<HTMLElement>(tab)?.focus();
  }

  private _onModel(): void {
    const { runs, state } = this.model;
    PARTS.forEach(part => {
      this._parts[part].setHidden(part !== state.part);
    });
    this.title.label =
      runs.length > 0
        ? this._trans.__('Compare %1 runs', runs.length)
        : this._trans.__('Compare runs');
    this.title.caption = runs.map(run => run.id).join('\n');
  }

  private readonly _parts: Readonly<Record<Part, Widget>>;
  private readonly _curves: CurvesDrawing;
  private readonly _parallel: ParallelDrawing;
  private readonly _trans: TranslationBundle;
  private readonly _observer: ResizeObserver;
}
