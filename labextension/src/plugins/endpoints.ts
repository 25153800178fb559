/** The tabs of endpoints, which come back after a reload, and their commands. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from '../commands';
import { attempt } from '../components/attempt';
import type { EndpointPanel } from '../endpoint/panel';
import type { IEndpointState } from '../endpoint/state';
import { NO_STATE, readState } from '../endpoint/state';
import { addEndpointCommands, endpointTarget } from '../endpoints/commands';
import type { Targets } from '../targets';
import { IMlops } from '../tokens';

type EndpointTab = MainAreaWidget<EndpointPanel>;

export const endpointsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:endpoints',
  description: 'Opens models that are served in tabs of the main area.',
  autoStart: true,
  requires: [IMlops],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands } = app;
    const { endpoints, targets, trans } = mlops;
    const tracker = new WidgetTracker<EndpointTab>({
      namespace: 'mlops-endpoint'
    });
    addEndpointCommands({ commands, targets, client: endpoints.client, trans });
    commands.addCommand(CommandIDs.openEndpoint, {
      label: trans.__('Open Endpoint'),
      caption: trans.__('Try a model that is served, and see how it does'),
      describedBy: { args: ARGUMENTS },
      isVisible: () => endpointTarget(targets) !== null,
      execute: async args => {
        const which = given(args) ?? pointedAt(targets);
        if (which) {
          await attempt(open(app, mlops, tracker, which));
        }
      }
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openEndpoint,
      name: tab => tab.id,
      args: tab => savedArguments(tab.content)
    });
  }
};

const ARGUMENTS = {
  type: 'object',
  properties: {
    project: {
      type: 'string',
      description: 'Path of the project, relative to the root of the server.'
    },
    name: {
      type: 'string',
      description: 'Name of the model; by default the one that has the focus.'
    },
    state: {
      type: 'object',
      description: 'Which part of the tab is shown.'
    }
  }
} as const;

interface IWhich {
  readonly project: string;
  readonly name: string;
  readonly state: IEndpointState;
}

function given(args: ReadonlyPartialJSONObject): IWhich | null {
  const { project, name, state } = args;
  return typeof project === 'string' && typeof name === 'string'
    ? { project, name, state: readState(state) }
    : null;
}

function pointedAt(targets: Targets): IWhich | null {
  const target = endpointTarget(targets);
  return (
    target && {
      project: target.store.project.path,
      name: target.endpoint.name,
      state: NO_STATE
    }
  );
}

async function open(
  app: JupyterFrontEnd,
  mlops: IMlops,
  tracker: WidgetTracker<EndpointTab>,
  which: IWhich
): Promise<void> {
  const isOpen = ({ content: { model } }: EndpointTab): boolean =>
    model.name === which.name && model.store.project.path === which.project;
  const made = tracker.find(isOpen) ?? (await createTab(app, mlops, which));
  // A double click asks twice.
  const tab = tracker.find(isOpen) ?? made;
  if (tab !== made) {
    made.dispose();
  }
  if (!tracker.has(tab)) {
    await tracker.add(tab);
    tab.content.model.stateChanged.connect(() => void tracker.save(tab));
    app.shell.add(tab, 'main', { type: 'MLOps Endpoint' });
  }
  app.shell.activateById(tab.id);
}

async function createTab(
  app: JupyterFrontEnd,
  mlops: IMlops,
  which: IWhich
): Promise<EndpointTab> {
  const { stores, targets, trans, client, endpoints } = mlops;
  const project = await client.project(which.project);
  const { EndpointPanel } = await import('../endpoint/panel');
  const content = new EndpointPanel({
    lease: stores.acquire(project),
    client: endpoints.client,
    name: which.name,
    state: which.state,
    commands: app.commands,
    targets,
    trans
  });
  const tab = new MainAreaWidget({ content });
  tab.id = `mlops-endpoint-${project.id}-${which.name}`;
  tab.toolbar.hide();
  return tab;
}

function savedArguments({ model }: EndpointPanel): ReadonlyPartialJSONObject {
  return {
    project: model.store.project.path,
    name: model.name,
    state: { ...model.state }
  };
}
