/** What a run kept: the tree at the left, the chosen file at the right. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import { Panel, SplitPanel } from '@lumino/widgets';

import type { ArtifactView, RunView, SweepView } from '../api/types';
import type { ProjectStore } from '../projects/store';
import type { Targets } from '../targets';
import { ArtifactsModel } from './model';
import { PreviewPanel } from './preview';
import type { IArtifactHandlers } from './view';
import { ArtifactHead, ArtifactTree } from './view';

export interface IArtifactsPanelOptions {
  readonly store: ProjectStore;
  readonly id: string;
  /** The run and its sweep, while they are known. */
  readonly run: () => RunView | null;
  readonly sweep: () => SweepView | null;
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
}

/** Below this width, in px, the file stands under the tree. */
const NARROW = 560;

export class ArtifactsPanel extends SplitPanel {
  constructor(private readonly options: IArtifactsPanelOptions) {
    super({ spacing: 1 });
    const { store, id, rendermime, trans } = options;
    this.model = new ArtifactsModel({
      client: store.client.artifacts,
      project: store.project.path,
      run: id
    });
    this.addClass('jp-Mlops-artifacts');
    const handlers = artifactHandlers(options);
    const tree = ReactWidget.create(
      <ArtifactTree model={this.model} trans={trans} handlers={handlers} />
    );
    tree.addClass('jp-Mlops-artifactTree');
    this.addWidget(tree);
    this.addWidget(
      fileBox(this.model, handlers, rendermime, trans, {
        isOfSweep: () => options.sweep()?.kind === 'sweep',
        isTab: false
      })
    );
    this.setRelativeSizes([2, 3]);
  }

  readonly model: ArtifactsModel;

  /** Ask what there is, unless nothing can have changed since. */
  refresh(): void {
    const run = this.options.run();
    const phase = run && `${run.status} ${run.attempts}`;
    if (this.isVisible && phase !== null && phase !== this._phase) {
      this._phase = phase;
      void this.model.load();
    }
  }

  override dispose(): void {
    super.dispose();
    this.model.dispose();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    if (this.options.run()?.status === 'running') {
      // There may be more by now.
      this._phase = null;
    }
    this.refresh();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this.refresh();
  }

  protected override onResize(msg: Widget.ResizeMessage): void {
    const width = msg.width < 0 ? this.node.clientWidth : msg.width;
    this.orientation = width < NARROW ? 'vertical' : 'horizontal';
    super.onResize(msg);
  }

  private _phase: string | null = null;
}

/** The head of the chosen file above what is in it. */
export function fileBox(
  model: ArtifactsModel,
  handlers: IArtifactHandlers,
  rendermime: IRenderMimeRegistry,
  trans: TranslationBundle,
  place: { readonly isOfSweep: () => boolean; readonly isTab: boolean }
): Widget {
  const box = new Panel();
  box.addClass('jp-Mlops-artifactFile');
  const head = ReactWidget.create(
    <ArtifactHead model={model} trans={trans} handlers={handlers} {...place} />
  );
  box.addWidget(head);
  box.addWidget(new PreviewPanel(model, rendermime, trans));
  return box;
}

/** Let the rows and buttons of files run commands, which act on what was pointed at last. */
export function artifactHandlers(
  options: Omit<IArtifactsPanelOptions, 'id' | 'rendermime'>
): IArtifactHandlers {
  const { commands, targets, store } = options;
  const hand = (
    artifact: ArtifactView,
    how: (target: Parameters<Targets['point']>[0]) => void
  ): void => {
    const run = options.run();
    const sweep = options.sweep();
    if (run && sweep) {
      how({ kind: 'artifact', store, sweep, run, artifact });
    }
  };
  return {
    select: artifact => hand(artifact, target => targets.focus(target)),
    point: artifact => hand(artifact, target => targets.point(target)),
    execute: (command, artifact) => {
      hand(artifact, target => {
        targets.point(target);
        void commands.execute(command);
        targets.release();
      });
    }
  };
}
