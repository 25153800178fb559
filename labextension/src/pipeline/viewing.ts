/** What can be looked at of a pipeline and its stages. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';
import type { IStageTarget, Targets } from '../targets';
import type { IOpener } from '../tokens';
import { askForStage } from './asking';
import { stageTarget } from './commands';
import { groupKey, keyOf } from './diagram';
import type { PipelineTabModel } from './tabmodel';
import { STEP } from './viewport';

/** What a pipeline's tab lets commands do. */
export interface IPipelineTab {
  readonly model: PipelineTabModel;
}

export interface IViewingOptions {
  readonly commands: CommandRegistry;
  readonly projects: Pick<ProjectsModel, 'current'>;
  readonly targets: Targets;
  readonly opener: IOpener;
  /** The pipeline's tab that is in front, or null. */
  readonly inFront: () => IPipelineTab | null;
  /** Open the tab of a project. */
  readonly open: (store: ProjectStore) => Promise<IPipelineTab>;
  readonly trans: TranslationBundle;
}

/** Register the commands that show stages, and the graph otherwise. */
export function addViewingCommands(options: IViewingOptions): void {
  addStageCommands(options);
  addFileCommands(options);
  addTabCommands(options);
}

function addStageCommands(options: IViewingOptions): void {
  const { commands, targets, projects, inFront, trans } = options;
  const pointed = (): IStageTarget | null =>
    targets.isPointed ? stageTarget(targets) : null;
  const current = (): ProjectStore | null =>
    inFront()?.model.store ?? projects.current;
  const show = async (
    target: IStageTarget | null
  ): Promise<IPipelineTab | null> => {
    const tab = target && (await options.open(target.store));
    tab?.model.select(keyOf(target?.stages ?? []));
    return tab;
  };
  commands.addCommand(CommandIDs.openStage, {
    label: trans.__('Open Stage'),
    caption: trans.__('Show what the stage runs, needs and makes'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => stageTarget(targets) !== null,
    execute: async () => {
      await show(stageTarget(targets));
    }
  });
  commands.addCommand(CommandIDs.explainStage, {
    label: () =>
      pointed()
        ? trans.__('Show Why Stage Will Run')
        : trans.__('Show Why Stage Will Run…'),
    caption: trans.__('Show what has changed since the stage ran'),
    describedBy: NO_ARGUMENTS,
    execute: async () => {
      const title = trans.__('Show Why');
      const tab = await show(
        pointed() ?? (await askForStage(current(), targets, title, trans))
      );
      tab?.model.sheet.explain();
    }
  });
}

function addFileCommands(options: IViewingOptions): void {
  const { commands, targets, opener, trans } = options;
  const single = (): IStageTarget | null => {
    const target = stageTarget(targets);
    return target?.stages.length === 1 ? target : null;
  };
  commands.addCommand(CommandIDs.openStageRun, {
    label: trans.__('Open Run of Stage'),
    caption: trans.__('Open the last run of the stage’s notebook'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => Boolean(single()?.stages[0]?.run_id),
    execute: async () => {
      const target = single();
      const run = target?.stages[0]?.run_id;
      if (target && run) {
        const project = target.store.project.path;
        await commands.execute(CommandIDs.openRun, { project, run });
      }
    }
  });
  commands.addCommand(CommandIDs.openStageNotebook, {
    label: trans.__('Open Notebook of Stage'),
    caption: trans.__('Open the notebook that the stage executes'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => Boolean(single()?.stages[0]?.notebook),
    execute: () => {
      const target = single();
      const notebook = target?.stages[0]?.notebook;
      if (target && notebook) {
        opener.openFile(target.store.project, notebook);
      }
    }
  });
  commands.addCommand(CommandIDs.openStageFile, {
    label: trans.__('Open dvc.yaml of Stage'),
    caption: trans.__('Open the file that declares the stage'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => stageTarget(targets) !== null,
    execute: () => {
      const target = stageTarget(targets);
      const file = target?.stages[0]?.file;
      if (target && file !== undefined) {
        opener.openFile(target.store.project, file);
      }
    }
  });
}

function addTabCommands(options: IViewingOptions): void {
  const { commands, targets, inFront, trans } = options;
  const zoomed = (): PipelineTabModel | null => {
    const model = inFront()?.model;
    return model?.view === 'graph' ? model : null;
  };
  const add = (
    id: string,
    label: string,
    act: (model: PipelineTabModel) => void
  ): void => {
    commands.addCommand(id, {
      label,
      describedBy: NO_ARGUMENTS,
      isEnabled: () => zoomed() !== null,
      execute: () => {
        const model = zoomed();
        if (model) {
          act(model);
        }
      }
    });
  };
  add(CommandIDs.zoomToFit, trans.__('Zoom Pipeline to Fit'), ({ viewport }) =>
    viewport.fit(true)
  );
  add(CommandIDs.zoomIn, trans.__('Zoom Pipeline In'), ({ viewport }) =>
    viewport.zoomBy(STEP)
  );
  add(CommandIDs.zoomOut, trans.__('Zoom Pipeline Out'), ({ viewport }) =>
    viewport.zoomBy(1 / STEP)
  );
  commands.addCommand(CommandIDs.toggleList, {
    label: trans.__('Show Pipeline as List'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => inFront() !== null,
    isToggleable: true,
    isToggled: () => inFront()?.model.view === 'list',
    execute: () => {
      const model = inFront()?.model;
      if (model) {
        model.view = model.view === 'list' ? 'graph' : 'list';
      }
    }
  });
  const groupOf = (): string | null => {
    const stage = stageTarget(targets)?.stages[0];
    return stage ? groupKey(stage) : null;
  };
  commands.addCommand(CommandIDs.foldGroup, {
    label: () =>
      inFront()?.model.isUnfolded(groupOf() ?? '')
        ? trans.__('Show Group as One')
        : trans.__('Show Group One by One'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => inFront() !== null && groupOf() !== null,
    execute: () => {
      const model = inFront()?.model;
      const group = groupOf();
      if (model && group !== null) {
        model.fold(group, model.isUnfolded(group));
      }
    }
  });
}
