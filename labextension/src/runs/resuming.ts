/** Retrying a run from the cell at which it failed, and looking at it before it has ended. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ResumptionView } from '../api/types';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { confirm } from '../components/confirm';
import { formatDuration } from '../format';
import type { IRunTarget } from '../targets';
import type { IRunCommandsOptions } from './commands';
import { runTarget } from './commands';

export function addResumeCommands(options: IRunCommandsOptions): void {
  const { commands, targets, opener, trans } = options;
  const failed = (): IRunTarget | null => {
    const target = runTarget(targets);
    const canResume =
      target?.run.status === 'failed' && target.run.cell !== null;
    return canResume ? target : null;
  };
  const running = (): IRunTarget | null => {
    const target = runTarget(targets);
    return target?.run.status === 'running' && target.run.kind !== 'session'
      ? target
      : null;
  };
  commands.addCommand(CommandIDs.resumeRun, {
    label: trans.__('Retry from the Failed Cell…'),
    caption: trans.__(
      'Keep the outputs of the cells before, and go on from the one that failed'
    ),
    describedBy: NO_ARGUMENTS,
    isVisible: () => failed() !== null,
    execute: async () => {
      const target = failed();
      if (target) {
        await attempt(resume(target, trans));
      }
    }
  });
  commands.addCommand(CommandIDs.openPartial, {
    label: trans.__('Open Notebook So Far'),
    caption: trans.__('Write the notebook as far as the run has come'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => running() !== null,
    execute: async () => {
      const target = running();
      if (target) {
        await attempt(openPartial(target, opener));
      }
    }
  });
}

/** Ask whether the earlier cells may be executed again; then go on from the failed one. */
async function resume(
  { store, run }: IRunTarget,
  trans: TranslationBundle
): Promise<void> {
  const { client, project } = store;
  const found = await client.resumption(project.path, run.id);
  const title = trans.__('Retry from cell %1', found.cell);
  const question = resumeQuestion(found, trans);
  if (await confirm(title, question, trans, trans.__('Cancel'))) {
    await client.resumeRun(project.path, run.id);
    store.catchUp();
  }
}

/** What the user agrees to. */
export function resumeQuestion(
  found: ResumptionView,
  trans: TranslationBundle
): string {
  const before = found.cell - 1;
  const again = trans._n(
    'The cell before it is executed again to restore the kernel’s state; its outputs stay.',
    'The %1 cells before it are executed again to restore the kernel’s state; their outputs stay.',
    before
  );
  return [
    before > 0 ? again : trans.__('It is the first cell.'),
    before > 0 && found.seconds !== null
      ? trans.__('That took %1.', formatDuration(found.seconds, trans))
      : '',
    found.changed
      ? trans.__('The notebook has changed since, from cell %1 on.', found.cell)
      : ''
  ]
    .filter(Boolean)
    .join(' ');
}

async function openPartial(
  { store, run }: IRunTarget,
  opener: IRunCommandsOptions['opener']
): Promise<void> {
  const { client, project } = store;
  const { path } = await client.partialNotebook(project.path, run.id);
  await opener.openWritten(project, path);
}
