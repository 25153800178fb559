/** What can be done with a pipeline and its stages. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { PipelineRequest } from '../api/types';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { confirm } from '../components/confirm';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';
import type { IStageTarget, Targets } from '../targets';
import { askForStage } from './asking';

export interface IPipelineCommandsOptions {
  readonly commands: CommandRegistry;
  readonly projects: Pick<ProjectsModel, 'current'>;
  readonly targets: Targets;
  /** The project of the pipeline's tab that is in front, or null. */
  readonly inFront: () => ProjectStore | null;
  readonly trans: TranslationBundle;
}

/** Something that brings stages up to date. */
interface IAction {
  readonly id: string;
  readonly label: string;
  readonly caption: string;
  readonly request: (names: string[]) => PipelineRequest;
  /** Asks with the number of stages that are run whatever has changed. */
  readonly question: ((count: number) => string) | null;
}

/** Register the commands that run stages and cancel that. */
export function addPipelineCommands(options: IPipelineCommandsOptions): void {
  const { commands, trans } = options;
  const current = (): ProjectStore | null =>
    options.inFront() ?? options.projects.current;
  commands.addCommand(CommandIDs.runStale, {
    label: trans.__('Run Stale Stages'),
    caption: trans.__('Bring the whole pipeline up to date'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => canRun(current()),
    execute: async () => {
      const store = current();
      if (store) {
        await run(store, { all_pipelines: true });
      }
    }
  });
  commands.addCommand(CommandIDs.cancelPipeline, {
    label: trans.__('Cancel Pipeline Run'),
    caption: trans.__('Stop what runs, and start nothing more'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => current()?.pipeline.isActive ?? false,
    execute: async () => {
      const store = current();
      const id = store?.pipeline.last?.id;
      if (store && id !== undefined) {
        const { client, project } = store;
        await attempt(client.cancelPipelineRun(project.path, id));
        store.catchUp();
      }
    }
  });
  for (const action of actions(trans)) {
    addAction(options, current, action);
  }
}

function addAction(
  options: IPipelineCommandsOptions,
  current: () => ProjectStore | null,
  action: IAction
): void {
  const { commands, targets, trans } = options;
  const pointed = (): IStageTarget | null =>
    targets.isPointed ? stageTarget(targets) : null;
  commands.addCommand(action.id, {
    // Elsewhere than in a stage's own menu it asks which one.
    label: () =>
      pointed() && !action.question ? action.label : `${action.label}…`,
    caption: action.caption,
    describedBy: NO_ARGUMENTS,
    isVisible: () => pointed()?.stages.some(isRunnable) ?? true,
    isEnabled: () => canRun(pointed()?.store ?? current()),
    execute: async () => {
      const target =
        pointed() ??
        (await askForStage(current(), targets, action.label, trans));
      if (!target) {
        return;
      }
      const names = target.stages.map(stage => stage.name);
      const { graph } = target.store.pipeline;
      const count = graph.following(names).size;
      if (
        !action.question ||
        (await confirm(action.label, action.question(count), trans))
      ) {
        await run(target.store, action.request(names));
      }
    }
  });
}

function actions(trans: TranslationBundle): readonly IAction[] {
  return [
    {
      id: CommandIDs.runStage,
      label: trans.__('Run Stage'),
      caption: trans.__('Bring the stage up to date, and what it depends on'),
      request: targets => ({ targets }),
      question: null
    },
    {
      id: CommandIDs.runFollowing,
      label: trans.__('Run Stage with What Follows'),
      caption: trans.__('Bring the stage up to date, and what depends on it'),
      request: targets => ({ targets, downstream: true }),
      question: null
    },
    {
      id: CommandIDs.forceStage,
      label: trans.__('Force Stage'),
      caption: trans.__('Run the stage alone, even if nothing has changed'),
      request: targets => ({ targets, force: true, single_item: true }),
      question: null
    },
    {
      id: CommandIDs.forceFollowing,
      label: trans.__('Force Stage with What Follows'),
      caption: trans.__(
        'Run the stage and what depends on it, even if nothing has changed'
      ),
      request: targets => ({ targets, force: true, downstream: true }),
      question: count =>
        trans._n(
          'Run %1 stage, even if nothing has changed?',
          'Run %1 stages, even those of which nothing has changed?',
          count
        )
    }
  ];
}

/** The stages that are pointed at as they are now, or null. */
export function stageTarget(targets: Targets): IStageTarget | null {
  const target = targets.current;
  if (target?.kind !== 'stage') {
    return null;
  }
  const { pipeline } = target.store;
  const stages = target.stages.flatMap(
    stage => pipeline.stage(stage.name) ?? []
  );
  return stages.length > 0 ? { ...target, stages } : null;
}

function isRunnable(stage: IStageTarget['stages'][number]): boolean {
  return stage.kind !== 'data';
}

function canRun(store: ProjectStore | null): boolean {
  if (!store) {
    return false;
  }
  const { isActive, isLoaded, stages } = store.pipeline;
  return !isActive && !(isLoaded && stages.length === 0);
}

async function run(
  store: ProjectStore,
  request: PipelineRequest
): Promise<void> {
  const { client, project, pipeline } = store;
  await attempt(
    client.runPipeline(project.path, request).then(started => {
      pipeline.put(started);
    })
  );
  store.catchUp();
}
