/** What can be done with models. */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { createElement } from 'react';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { SubmitDialog } from '../components/dialog';
import { baseName } from '../format';
import type { ProjectStore } from '../projects/store';
import { runTarget, sweepTarget } from '../runs/commands';
import type { IModelTarget, Targets } from '../targets';
import type { IOpener } from '../tokens';
import { RegisterForm } from './form';
import type { Source } from './register';
import { RegisterModel } from './register';

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
        await register(store, { run: run.id }, run.notebook, trans);
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
        const { store, sweep } = target;
        await register(store, { sweep: sweep.id }, sweep.notebook, trans);
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
  commands.addCommand(CommandIDs.setAlias, {
    label: trans.__('Set Alias…'),
    caption: trans.__('Point an alias such as champion at the model version'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => targets.current?.kind === 'model',
    execute: async () => {
      const target = targets.current;
      if (target?.kind === 'model') {
        await setAlias(target, trans);
      }
    }
  });
}

async function openRun(target: IModelTarget, opener: IOpener): Promise<void> {
  const { store, model } = target;
  const { path } = store.project;
  if (model.run_id !== null) {
    const { run } = await store.client.run(path, model.run_id);
    await opener.openOutput(store.project, run);
  }
}

async function register(
  store: ProjectStore,
  source: Source,
  notebook: string,
  trans: TranslationBundle
): Promise<void> {
  const name = baseName(notebook).replace(/\.ipynb$/, '');
  const form = new RegisterModel(store, source, name, trans.__('Register'));
  const dialog = new SubmitDialog({
    title: source.run
      ? trans.__('Register the run’s model')
      : trans.__('Register the best run’s model'),
    body: ReactWidget.create(
      createElement(RegisterForm, { model: form, trans })
    ),
    form,
    cancelLabel: trans.__('Cancel'),
    className: 'jp-Mlops-registerDialog',
    focus: 'input'
  });
  const version = await dialog.ask().finally(() => {
    dialog.dispose();
  });
  if (version) {
    Notification.success(
      trans.__('Registered %1 version %2.', version.name, version.version),
      { autoClose: 5000 }
    );
    await store.refresh();
  }
}

async function setAlias(
  target: IModelTarget,
  trans: TranslationBundle
): Promise<void> {
  const { store, model } = target;
  const known = new Set(store.models?.flatMap(each => each.aliases));
  const result = await InputDialog.getItem({
    title: trans.__('Alias of %1 version %2', model.name, model.version),
    label: trans.__('Alias'),
    items: [...known.add('champion').add('challenger')],
    editable: true,
    okLabel: trans.__('Set')
  });
  const alias = result.value?.trim().replace(/^@/, '');
  if (!result.button.accept || !alias) {
    return;
  }
  const { path } = store.project;
  await attempt(store.client.setAlias(path, model.name, alias, model.version));
  await store.refresh();
}
