/** A pipeline's tab: head, graph or list, and the sheet of a stage. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { MessageLoop } from '@lumino/messaging';
import { Panel, SplitPanel, Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { CommandIDs } from '../commands';
import { useSignal } from '../components/hooks';
import { graphIcon } from '../icons';
import type { ILease } from '../projects/stores';
import type { IRowHandlers } from '../runs/handlers';
import type { Targets } from '../targets';
import { Dag } from './dag';
import { keyOf } from './diagram';
import { PipelineHead } from './head';
import { createMeasure } from './measure';
import { Sheet } from './sheet';
import { StageTree } from './stagetree';
import type { IPipelineState } from './state';
import { PipelineTabModel } from './tabmodel';
import { NoPipeline } from './view';

/** From this width on, in px, the sheet stands beside the graph. */
const WIDE = 760;

export interface IPipelineTabPanelOptions {
  /** The project's store; the panel gives it back when it closes. */
  readonly lease: ILease;
  readonly state: IPipelineState;
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly handlers: IRowHandlers;
  /** Open a file of the project. */
  readonly openFile: (path: string) => void;
  readonly trans: TranslationBundle;
}

export class PipelineTabPanel extends Panel {
  constructor(private readonly options: IPipelineTabPanelOptions) {
    super();
    const { lease, state, trans, openFile } = options;
    const model = new PipelineTabModel({
      lease,
      state,
      measure: createMeasure(),
      isShown: () => this.isVisible
    });
    this.model = model;
    this.addClass('jp-Mlops-pipelinePanel');
    this.title.icon = graphIcon;
    this.title.closable = true;
    this.title.label = trans.__('Pipeline');
    this.title.caption = trans.__('Pipeline of /%1', model.store.project.path);
    const onCommand = (command: string): void => this._execute(command);
    const head = ReactWidget.create(
      <PipelineHead model={model} trans={trans} onCommand={onCommand} />
    );
    const body = ReactWidget.create(
      <Body
        model={model}
        trans={trans}
        handlers={this._handlers}
        onCommand={onCommand}
      />
    );
    body.addClass('jp-Mlops-pipelineBody');
    this._sheet = ReactWidget.create(
      <Sheet
        model={model}
        trans={trans}
        onCommand={onCommand}
        onOpen={openFile}
      />
    );
    this._sheet.addClass('jp-Mlops-sheetScroller');
    this._split = new SplitPanel({ spacing: 1 });
    this._split.addWidget(body);
    this._split.addWidget(this._sheet);
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

  readonly model: PipelineTabModel;

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
    if (!this.node.contains(document.activeElement)) {
      this.node
        .querySelector<HTMLElement>('.jp-Mlops-stage[tabindex="0"]')
        ?.focus({ preventScroll: true });
    }
  }

  /** Rows and nodes open the sheet beside them. */
  private get _handlers(): Pick<IRowHandlers, 'open' | 'point' | 'select'> {
    const { handlers } = this.options;
    return {
      select: handlers.select,
      point: handlers.point,
      open: target => {
        if (target.kind === 'stage') {
          this.model.select(keyOf(target.stages));
        }
      }
    };
  }

  /** Run a command, as if it was chosen from the menu of the stage whose sheet is open. */
  private _execute(command: string): void {
    const { commands, targets } = this.options;
    const { sheet, store } = this.model;
    const { stages } = sheet;
    const [stage] = stages;
    if (stage) {
      const name = stages.length > 1 ? (stage.group ?? '') : stage.name;
      targets.point({ kind: 'stage', store, name, stages });
    }
    void commands.execute(command);
    targets.release();
  }

  private _onModel(): void {
    const isOpen = this.model.selected !== null;
    if (this._sheet.isHidden === isOpen) {
      this._sheet.setHidden(!isOpen);
      if (isOpen && !this._isSized) {
        this._isSized = true;
        this._split.setRelativeSizes([5, 3]);
      }
    }
  }

  /** Whether the sheet has got its share; what the user makes of it stays. */
  private _isSized = false;
  private readonly _sheet: Widget;
  private readonly _split: SplitPanel;
  private readonly _observer: ResizeObserver;
}

/** The graph, or the list. */
function Body(props: {
  readonly model: PipelineTabModel;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
  readonly onCommand: (id: string) => void;
}): ReactElement | null {
  const { model, trans, handlers } = props;
  useSignal(model.changed);
  const { pipeline, store } = model;
  if (pipeline.stages.length === 0) {
    return pipeline.problem ? null : (
      <NoPipeline
        isLoaded={pipeline.isLoaded}
        trans={trans}
        onCreate={() => props.onCommand(CommandIDs.writePipeline)}
      />
    );
  }
  return model.view === 'graph' ? (
    <Dag model={model} trans={trans} handlers={handlers} />
  ) : (
    <StageTree
      store={store}
      trans={trans}
      handlers={handlers}
      rows={held => model.rows(held)}
      onFold={(group, isFolded) => model.fold(group, isFolded)}
      isWide={true}
    />
  );
}
