/** What can be done with models that are served. */
import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { createElement } from 'react';

import type { EndpointClient } from '../api/endpoints';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { confirm } from '../components/confirm';
import { SubmitDialog } from '../components/dialog';
import type { ProjectStore } from '../projects/store';
import type { IEndpointTarget, IModelTarget, Targets } from '../targets';

export interface IEndpointCommandsOptions {
  readonly commands: CommandRegistry;
  readonly targets: Targets;
  readonly client: EndpointClient;
  readonly trans: TranslationBundle;
}

type Act = (target: IEndpointTarget) => Promise<unknown>;

export function addEndpointCommands(options: IEndpointCommandsOptions): void {
  const { commands, targets, client, trans } = options;
  const add = (
    id: string,
    label: string,
    caption: string,
    act: Act,
    isPossible: (target: IEndpointTarget) => boolean = () => true
  ): void => {
    commands.addCommand(id, {
      label,
      caption,
      describedBy: NO_ARGUMENTS,
      isVisible: () => {
        const target = endpointTarget(targets);
        return target !== null && isPossible(target);
      },
      execute: async () => {
        const target = endpointTarget(targets);
        if (target) {
          await attempt(act(target));
        }
      }
    });
  };
  commands.addCommand(CommandIDs.serveModel, {
    label: trans.__('Serve'),
    caption: trans.__('Serve the model version behind the login of Jupyter'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => targets.current?.kind === 'model',
    execute: async () => {
      const target = targets.current;
      if (target?.kind === 'model') {
        await attempt(serve(target, options));
      }
    }
  });
  add(
    CommandIDs.switchEndpoint,
    trans.__('Switch Version…'),
    trans.__('Serve another version; no request is lost'),
    target => switchVersion(target, client, trans)
  );
  add(
    CommandIDs.rollBackEndpoint,
    trans.__('Roll Back'),
    trans.__('Serve the version again that was served before'),
    ({ store, endpoint }) => client.rollBack(store.project.path, endpoint.name),
    ({ endpoint }) => endpoint.previous !== null && endpoint.next === null
  );
  add(
    CommandIDs.watchEndpoint,
    trans.__('Keep Requests…'),
    trans.__('Choose what is kept of the requests, and a challenger'),
    target => watch(target, client, trans)
  );
  add(
    CommandIDs.monitorEndpoint,
    trans.__('Compare Requests…'),
    trans.__('Compare the requests with the training data and the truth'),
    target => compare(target, client, trans)
  );
  add(
    CommandIDs.stopEndpoint,
    trans.__('Stop Serving…'),
    trans.__('Stop serving the model'),
    target => stop(target, client, trans)
  );
}

/** The endpoint that the user points at. */
export function endpointTarget(targets: Targets): IEndpointTarget | null {
  const target = targets.current;
  return target?.kind === 'endpoint' ? target : null;
}

/** Begin to serve, and show the tab in which the rest is seen. */
async function serve(
  target: IModelTarget,
  options: IEndpointCommandsOptions
): Promise<void> {
  const { store, model } = target;
  const { path } = store.project;
  const { name, version } = model;
  const body = { version, alias: null, monitor: null };
  await options.client.serve(path, name, body);
  await options.commands.execute(CommandIDs.openEndpoint, {
    project: path,
    name
  });
}

async function switchVersion(
  target: IEndpointTarget,
  client: EndpointClient,
  trans: TranslationBundle
): Promise<void> {
  const { store, endpoint } = target;
  const versions = versionsOf(store, endpoint.name).filter(
    each => each.version !== endpoint.version
  );
  const items = versions.map(({ version, aliases }) =>
    [`v${version}`, ...aliases.map(alias => `@${alias}`)].join(' ')
  );
  const result = await InputDialog.getItem({
    title: trans.__('Serve another version of %1', endpoint.name),
    label: trans.__(
      'It takes over when it answers; v%1 ends when it has answered what it was asked.',
      endpoint.version
    ),
    items,
    okLabel: trans.__('Serve')
  });
  const chosen = versions[items.indexOf(result.value ?? '')];
  if (result.button.accept && chosen) {
    const { version } = chosen;
    const body = { version, alias: null, monitor: null };
    await client.serve(store.project.path, endpoint.name, body);
  }
}

function versionsOf(
  store: ProjectStore,
  name: string
): readonly {
  readonly version: number;
  readonly aliases: readonly string[];
}[] {
  return (store.models ?? [])
    .filter(model => model.name === name)
    .sort((left, right) => right.version - left.version);
}

async function watch(
  { store, endpoint }: IEndpointTarget,
  client: EndpointClient,
  trans: TranslationBundle
): Promise<void> {
  const { path } = store.project;
  const [{ columns }, { WatchForm }, { WatchBody }] = await Promise.all([
    client.detail(path, endpoint.name),
    import('../endpoint/watching'),
    import('../endpoint/forms')
  ]);
  const label = trans.__('Keep');
  const form = new WatchForm(client, path, endpoint, columns, label);
  const dialog = new SubmitDialog({
    title: trans.__('Requests to %1', endpoint.name),
    body: ReactWidget.create(createElement(WatchBody, { form, trans })),
    form,
    cancelLabel: trans.__('Cancel'),
    className: 'jp-Mlops-endpointDialog',
    focus: 'input'
  });
  await dialog.ask().finally(() => {
    dialog.dispose();
  });
}

async function compare(
  { store, endpoint }: IEndpointTarget,
  client: EndpointClient,
  trans: TranslationBundle
): Promise<void> {
  const { path } = store.project;
  const [{ CompareForm }, { CompareBody }] = await Promise.all([
    import('../endpoint/comparing'),
    import('../endpoint/forms')
  ]);
  const { name, version } = endpoint;
  const label = trans.__('Compare');
  const form = new CompareForm(client, path, name, version, label);
  const dialog = new SubmitDialog({
    title: trans.__('Compare the requests to %1', name),
    body: ReactWidget.create(createElement(CompareBody, { form, trans })),
    form,
    cancelLabel: trans.__('Cancel'),
    className: 'jp-Mlops-endpointDialog',
    focus: 'input'
  });
  const sweep = await dialog.ask().finally(() => {
    dialog.dispose();
  });
  if (sweep) {
    store.put(sweep);
  }
}

async function stop(
  { store, endpoint }: IEndpointTarget,
  client: EndpointClient,
  trans: TranslationBundle
): Promise<void> {
  const { name } = endpoint;
  const isSure = await confirm(
    trans.__('Stop Serving…'),
    trans.__('Whoever asks %1 for predictions is then refused.', name),
    trans,
    trans.__('Go on')
  );
  if (isSure) {
    await client.stop(store.project.path, name);
  }
}
