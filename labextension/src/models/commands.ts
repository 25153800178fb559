/** What can be done with models. */
import {
  Clipboard,
  Dialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { baseName } from '../format';
import type { ProjectStore } from '../projects/store';
import { runTarget, sweepTarget } from '../runs/commands';
import type { IModelTarget, ISweepTarget, Targets } from '../targets';
import type { IOpener } from '../tokens';
import type { IQuestion } from './asking';
import { askFields } from './asking';
import { predictionForm } from './batch';
import { runField } from './best';
import type { FieldsModel, IField } from './fields';
import type { Source } from './register';
import { aliasForm, descriptionForm, registerForm } from './register';

export interface IModelCommandsOptions {
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly opener: IOpener;
  readonly trans: TranslationBundle;
}

export function addModelCommands(options: IModelCommandsOptions): void {
  const { commands, targets, opener, trans } = options;
  commands.addCommand(CommandIDs.registerRun, {
    label: trans.__('Register Model…'),
    caption: trans.__('Register the model that the run has logged'),
    describedBy: NO_ARGUMENTS,
    isVisible: () =>
      targets.current?.kind === 'run' &&
      runTarget(targets)?.run.status === 'succeeded',
    execute: async () => {
      const target = runTarget(targets);
      if (target) {
        const { store, run } = target;
        const title = trans.__('Register the run’s model');
        await register(store, { run: run.id }, run.notebook, title, trans);
      }
    }
  });
  commands.addCommand(CommandIDs.registerBest, {
    label: () =>
      sweepTarget(targets)?.sweep.kind === 'sweep'
        ? trans.__('Register Best…')
        : trans.__('Register Model…'),
    caption: trans.__('Register the model of the best run of the sweep'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => (sweepTarget(targets)?.sweep.counts.succeeded ?? 0) > 0,
    execute: async () => {
      const target = sweepTarget(targets);
      if (target) {
        await attempt(registerBest(target, trans));
      }
    }
  });
  commands.addCommand(CommandIDs.openModelRun, {
    label: trans.__('Open Notebook of Model'),
    caption: trans.__('Open the notebook that made the model version'),
    describedBy: NO_ARGUMENTS,
    isVisible: () =>
      targets.current?.kind === 'model' &&
      targets.current.model.run_id !== null,
    execute: async () => {
      const target = targets.current;
      if (target?.kind === 'model') {
        await attempt(openRun(target, opener));
      }
    }
  });
  commands.addCommand(CommandIDs.openRunOfModel, {
    label: trans.__('Open Run of Model'),
    caption: trans.__('Open the run that made the model version'),
    describedBy: NO_ARGUMENTS,
    isVisible: () =>
      targets.current?.kind === 'model' &&
      targets.current.model.run_id !== null,
    execute: async () => {
      const target = targets.current;
      if (target?.kind === 'model') {
        const project = target.store.project.path;
        const run = target.model.run_id;
        await commands.execute(CommandIDs.openRun, { project, run });
      }
    }
  });
  addVersionCommands(options);
}

/** What acts on the version that the user points at. */
function addVersionCommands(options: IModelCommandsOptions): void {
  const { commands, targets, trans } = options;
  const add = (
    id: string,
    label: string,
    caption: string,
    execute: (target: IModelTarget) => Promise<void>
  ): void => {
    commands.addCommand(id, {
      label,
      caption,
      describedBy: NO_ARGUMENTS,
      isVisible: () => targets.current?.kind === 'model',
      execute: async () => {
        const target = targets.current;
        if (target?.kind === 'model') {
          await execute(target);
        }
      }
    });
  };
  add(
    CommandIDs.setAlias,
    trans.__('Set Alias…'),
    trans.__('Point an alias such as champion at the model version'),
    target =>
      change(target.store, aliasForm(target, trans), trans, {
        title: trans.__('Alias of %1', nameOf(target)),
        focus: 'input'
      })
  );
  add(
    CommandIDs.describeModel,
    trans.__('Describe Model…'),
    trans.__('Say whose the model version is and what it is for'),
    target =>
      change(target.store, descriptionForm(target, trans), trans, {
        title: trans.__('About %1', nameOf(target)),
        focus: 'input'
      })
  );
  add(
    CommandIDs.predictModel,
    trans.__('Batch Prediction…'),
    trans.__('Predict the rows of a file by the model version'),
    target => predict(target, options)
  );
  add(
    CommandIDs.reproduceModel,
    trans.__('Build Model Again…'),
    trans.__('Show how the model version is built again and compared'),
    target => showReproduction(target, trans)
  );
}

function nameOf({ model }: IModelTarget): string {
  return `${model.name} v${String(model.version)}`;
}

async function openRun(target: IModelTarget, opener: IOpener): Promise<void> {
  const { store, model } = target;
  const { path } = store.project;
  if (model.run_id !== null) {
    const { run } = await store.client.run(path, model.run_id);
    await opener.openOutput(store.project, run);
  }
}

async function registerBest(
  target: ISweepTarget,
  trans: TranslationBundle
): Promise<void> {
  const { store, sweep } = target;
  const title =
    sweep.kind === 'sweep'
      ? trans.__('Register the best run’s model')
      : trans.__('Register the run’s model');
  const choice = await runField(target, trans);
  const source = { sweep: sweep.id };
  await register(store, source, sweep.notebook, title, trans, choice);
}

async function register(
  store: ProjectStore,
  source: Source,
  notebook: string,
  title: string,
  trans: TranslationBundle,
  choice: IField | null = null
): Promise<void> {
  const name = baseName(notebook).replace(/\.ipynb$/, '');
  const form = registerForm(store, source, name, trans, choice);
  const focus = choice ? 'select' : 'input';
  const version = await askFields(form, trans, { title, focus });
  if (version) {
    const done = trans.__(
      'Registered %1 version %2.',
      version.name,
      version.version
    );
    Notification.success([done, ...version.notices].join(' '), {
      autoClose: version.notices.length > 0 ? 20_000 : 5000
    });
    await store.refresh();
  }
}

async function change(
  store: ProjectStore,
  form: FieldsModel<unknown>,
  trans: TranslationBundle,
  question: IQuestion
): Promise<void> {
  if ((await askFields(form, trans, question)) !== null) {
    await store.refresh();
  }
}

/** Queue the run that predicts, and show it. */
async function predict(
  target: IModelTarget,
  { commands, targets, trans }: IModelCommandsOptions
): Promise<void> {
  const { store, model } = target;
  const sweep = await askFields(predictionForm(target, trans), trans, {
    title: trans.__('Predict the rows of a file by %1', model.name),
    focus: 'input'
  });
  if (sweep) {
    store.put(sweep);
    targets.focus({ kind: 'sweep', store, sweep });
    await commands.execute(CommandIDs.openRun);
  }
}

/** It takes minutes and wants a shell of its own, where its steps can be followed. */
async function showReproduction(
  { model }: IModelTarget,
  trans: TranslationBundle
): Promise<void> {
  const command = `jupyter mlops models reproduce ${quoted(model.name)} ${String(model.version)}`;
  const result = await showDialog({
    title: trans.__('Build %1 v%2 again', model.name, model.version),
    body: trans.__(
      'In a terminal in the project’s folder: %1 – it makes a clean worktree with the recorded code, data and packages, runs the notebook, compares metrics and predictions, and notes the verdict here.',
      command
    ),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Close') }),
      Dialog.okButton({ label: trans.__('Copy command') })
    ]
  });
  if (result.button.accept) {
    Clipboard.copyToSystem(command);
  }
}

/** A name as a shell takes it. */
function quoted(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
