/** What can be done with a run or a sweep. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { confirm } from '../components/confirm';
import { baseName, formatParameters, variedNames } from '../format';
import { canRetry, isFinished, retryCount } from '../status';
import type { IRunTarget, ISweepTarget, Targets } from '../targets';
import type { IOpener } from '../tokens';
import { isSingle } from './rows';

export interface IRunCommandsOptions {
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly opener: IOpener;
  readonly trans: TranslationBundle;
}

/** Register the commands that act on the run or sweep that the user points at. */
export function addRunCommands(options: IRunCommandsOptions): void {
  const { targets, trans } = options;
  addOpenCommands(options);
  for (const action of runActions(trans)) {
    const find = (): IRunTarget | null =>
      targets.current?.kind === 'run' ? runTarget(targets) : null;
    addAction(options, find, action);
  }
  for (const action of sweepActions(trans)) {
    addAction(options, () => sweepTarget(targets), action);
  }
}

function addOpenCommands(options: IRunCommandsOptions): void {
  const { commands, targets, opener, trans } = options;
  commands.addCommand(CommandIDs.openOutput, {
    label: trans.__('Open Output Notebook'),
    caption: trans.__('Open the notebook that the run has written'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => (runTarget(targets)?.run.output ?? null) !== null,
    execute: async () => {
      const target = runTarget(targets);
      if (target) {
        await opener.openOutput(target.store.project, target.run);
      }
    }
  });
  commands.addCommand(CommandIDs.openSource, {
    label: trans.__('Open Source Notebook'),
    caption: trans.__('Open the notebook that was run'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => sweepOf(targets) !== null,
    execute: () => {
      const target = sweepOf(targets);
      if (target) {
        opener.openSource(target.store.project, target.sweep.notebook);
      }
    }
  });
}

/** Something that changes runs. */
interface IAction<T> {
  readonly id: string;
  readonly label: (target: T | null) => string;
  readonly isPossible: (target: T) => boolean;
  readonly question: (target: T) => string;
  /** Whether it can be done without a question when chosen from the row's own menu. */
  readonly isLight: (target: T) => boolean;
  readonly act: (target: T) => Promise<unknown>;
}

function addAction<T extends IRunTarget | ISweepTarget>(
  options: IRunCommandsOptions,
  find: () => T | null,
  action: IAction<T>
): void {
  const { commands, targets, trans } = options;
  const possible = (): T | null => {
    const target = find();
    return target && action.isPossible(target) ? target : null;
  };
  commands.addCommand(action.id, {
    label: () => action.label(find()),
    describedBy: NO_ARGUMENTS,
    isVisible: () => possible() !== null,
    execute: async () => {
      const target = possible();
      if (!target) {
        return;
      }
      // From a row's own menu it is clear what is meant; from elsewhere it is not.
      const isClear = targets.isPointed && action.isLight(target);
      const label = action.label(target);
      if (isClear || (await confirm(label, action.question(target), trans))) {
        await attempt(action.act(target));
        target.store.catchUp();
      }
    }
  });
}

function runActions(trans: TranslationBundle): readonly IAction<IRunTarget>[] {
  return [
    {
      id: CommandIDs.cancelRun,
      label: () => trans.__('Cancel Run'),
      isPossible: ({ run }) => !isFinished(run.status),
      question: target => trans.__('Cancel %1?', runName(target, trans)),
      isLight: () => true,
      act: ({ store, run }) =>
        store.client.cancelRun(store.project.path, run.id)
    },
    {
      id: CommandIDs.retryRun,
      label: () => trans.__('Retry Run'),
      isPossible: ({ run }) => canRetry(run.status),
      question: target => trans.__('Run %1 again?', runName(target, trans)),
      isLight: () => true,
      act: ({ store, run }) => store.client.retryRun(store.project.path, run.id)
    },
    {
      id: CommandIDs.deleteRun,
      label: () => trans.__('Delete Run…'),
      isPossible: ({ run }) => isFinished(run.status),
      question: target =>
        trans.__(
          'Delete %1 with its output notebook and metrics?',
          runName(target, trans)
        ),
      isLight: () => false,
      act: ({ store, run }) =>
        store.client.deleteRun(store.project.path, run.id)
    }
  ];
}

function sweepActions(
  trans: TranslationBundle
): readonly IAction<ISweepTarget>[] {
  const choose =
    (one: string, many: string) => (target: ISweepTarget | null) =>
      target && isSingle(target.sweep) ? one : many;
  return [
    {
      id: CommandIDs.cancelSweep,
      label: choose(trans.__('Cancel Run'), trans.__('Cancel Sweep…')),
      isPossible: ({ sweep }) => !isFinished(sweep.status),
      question: ({ sweep }) =>
        trans._n(
          'Cancel %1 run of %2?',
          'Cancel %1 runs of %2?',
          sweep.counts.queued + sweep.counts.running,
          baseName(sweep.notebook)
        ),
      isLight: ({ sweep }) => isSingle(sweep),
      act: ({ store, sweep }) =>
        store.client.cancelSweep(store.project.path, sweep.id)
    },
    {
      id: CommandIDs.retrySweep,
      label: choose(trans.__('Retry Run'), trans.__('Retry Failed Runs')),
      isPossible: ({ sweep }) => retryCount(sweep.counts) > 0,
      question: ({ sweep }) =>
        trans._n(
          'Run %1 failed or cancelled run of %2 again?',
          'Run %1 failed or cancelled runs of %2 again?',
          retryCount(sweep.counts),
          baseName(sweep.notebook)
        ),
      isLight: () => true,
      act: ({ store, sweep }) =>
        store.client.retrySweep(store.project.path, sweep.id)
    },
    {
      id: CommandIDs.deleteSweep,
      label: choose(trans.__('Delete Run…'), trans.__('Delete Sweep…')),
      isPossible: ({ sweep }) => isFinished(sweep.status),
      question: ({ sweep }) =>
        trans._n(
          'Delete %1 run of %2 with its output notebook and metrics?',
          'Delete %1 runs of %2 with their output notebooks and metrics?',
          sweep.total,
          baseName(sweep.notebook)
        ),
      isLight: () => false,
      act: ({ store, sweep }) =>
        store.client.deleteSweep(store.project.path, sweep.id)
    }
  ];
}

/** The run that is pointed at as it is now; of a single run's sweep, its run. */
export function runTarget(targets: Targets): IRunTarget | null {
  const target = targets.current;
  if (target?.kind === 'run') {
    const { store, sweep, run } = target;
    const runs = store.runs(sweep.id);
    return { ...target, run: runs?.find(each => each.id === run.id) ?? run };
  }
  const single = sweepTarget(targets);
  const [run] = single ? (single.store.runs(single.sweep.id) ?? []) : [];
  return single && run && isSingle(single.sweep)
    ? { ...single, kind: 'run', run }
    : null;
}

/** The sweep that is pointed at as it is now. */
export function sweepTarget(targets: Targets): ISweepTarget | null {
  const target = targets.current;
  return target?.kind === 'sweep'
    ? { ...target, sweep: target.store.sweep(target.sweep.id) ?? target.sweep }
    : null;
}

function sweepOf(targets: Targets): ISweepTarget | IRunTarget | null {
  const target = targets.current;
  return target?.kind === 'run' || target?.kind === 'sweep' ? target : null;
}

function runName(target: IRunTarget, trans: TranslationBundle): string {
  const { store, sweep, run } = target;
  const names = variedNames(sweep, store.runs(sweep.id));
  const parameters = formatParameters(run.parameters, names);
  return trans.__(
    'run %1 of %2 (%3)',
    run.index,
    baseName(run.notebook),
    parameters || trans.__('defaults')
  );
}
