/** A tab with one file that a run kept. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Panel } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { Problem } from '../components/problem';
import { useSignal } from '../components/hooks';
import { baseName } from '../format';
import { mlopsIcon } from '../icons';
import type { ILease } from '../projects/stores';
import type { Targets } from '../targets';
import { ArtifactsModel } from './model';
import { artifactHandlers, fileBox } from './panel';

export interface IArtifactTabOptions {
  /** The project's store; the tab gives it back when it closes. */
  readonly lease: ILease;
  readonly sweep: string;
  readonly run: string;
  /** Path of the file in the run. */
  readonly path: string;
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly rendermime: IRenderMimeRegistry;
  readonly trans: TranslationBundle;
}

export class ArtifactTab extends Panel {
  constructor(readonly options: IArtifactTabOptions) {
    super();
    const { lease, sweep, run, path, rendermime, trans } = options;
    const { store } = lease;
    const watch = store.watch(sweep);
    this.disposed.connect(() => watch.dispose());
    this.model = new ArtifactsModel({
      client: store.client.artifacts,
      project: store.project.path,
      run
    });
    const handlers = artifactHandlers({
      ...options,
      store,
      run: () => store.runs(sweep)?.find(each => each.id === run) ?? null,
      sweep: () => store.sweep(sweep)
    });
    this.addClass('jp-Mlops-artifactTab');
    this.title.icon = mlopsIcon;
    this.title.closable = true;
    this.title.label = baseName(path);
    this.title.caption = `${path}\n${run}`;
    this.addWidget(
      ReactWidget.create(<Missing model={this.model} {...{ path, trans }} />)
    );
    this.addWidget(
      fileBox(this.model, handlers, rendermime, trans, {
        isOfSweep: () => store.sweep(sweep)?.kind === 'sweep',
        isTab: true
      })
    );
    void this.model.open(path);
  }

  readonly model: ArtifactsModel;

  override dispose(): void {
    super.dispose();
    this.model.dispose();
    this.options.lease.dispose();
  }
}

/** What is said if there is no such file, or not any more. */
function Missing(props: {
  readonly model: ArtifactsModel;
  readonly path: string;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { model, path, trans } = props;
  useSignal(model.changed);
  const { chosen, view, problem } = model;
  if (chosen || (!view && problem === null)) {
    return null;
  }
  const message =
    problem ?? trans.__('The run does not keep %1 any more.', path);
  return (
    <Problem
      problem={{ message, since: new Date() }}
      trans={trans}
      onRetry={() => void model.open(path)}
    />
  );
}
