/** The tabs of features, which come back after a reload, and their commands. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import {
  Clipboard,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { FeatureView } from '../api/types';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { FeaturePanel } from '../feature/panel';
import { askForFeature, featureTarget } from '../features/asking';
import { addFeatureCommands } from '../features/commands';
import { IMlops, IOpener } from '../tokens';

type FeatureTab = MainAreaWidget<FeaturePanel>;

export const featuresPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:features',
  description: 'Opens features in tabs of the main area, and computes them.',
  autoStart: true,
  requires: [IMlops, IOpener, IRenderMimeRegistry],
  optional: [INotebookTracker, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    opener: IOpener,
    rendermime: IRenderMimeRegistry,
    notebooks: INotebookTracker | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands } = app;
    const tabs = new Tabs(app, mlops, opener, rendermime);
    addFeatureCommands({
      ...mlops,
      commands,
      insert: lines => insert(app, mlops, notebooks, lines)
    });
    addOpenCommand(app, mlops, tabs);
    commands.addCommand(CommandIDs.searchFeatures, {
      label: mlops.trans.__('Search Features'),
      caption: mlops.trans.__(
        'Find features by name, text, entity, owner, tag or type'
      ),
      describedBy: NO_ARGUMENTS,
      execute: async () => {
        await commands.execute(CommandIDs.openPanel);
        mlops.features.beginSearch();
      }
    });
    void restorer?.restore(tabs.tracker, {
      command: CommandIDs.openFeature,
      name: tab => tab.id,
      args: ({ content: { model } }) => ({
        project: model.store.project.path,
        name: model.name
      })
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
      description:
        'Full name of the feature, such as flights.delay; by default the one that has the focus.'
    }
  }
} as const;

interface IWhich {
  readonly project: string;
  readonly name: string;
  /** The feature as it is listed, if the user has just pointed at it. */
  readonly listed: FeatureView | null;
}

function given({ project, name }: ReadonlyPartialJSONObject): IWhich | null {
  return typeof project === 'string' && typeof name === 'string'
    ? { project, name, listed: null }
    : null;
}

function addOpenCommand(app: JupyterFrontEnd, mlops: IMlops, tabs: Tabs): void {
  const { targets, trans } = mlops;
  app.commands.addCommand(CommandIDs.openFeature, {
    label: () =>
      featureTarget(targets)
        ? trans.__('Open Feature')
        : trans.__('Open Feature…'),
    caption: trans.__('Show all that is known of the feature'),
    describedBy: { args: ARGUMENTS },
    execute: async args => {
      const which = given(args) ?? (await chosen(mlops));
      if (which) {
        await attempt(tabs.open(which));
      }
    }
  });
}

/** The feature that the user points at, or chooses from a list. */
async function chosen(mlops: IMlops): Promise<IWhich | null> {
  const { targets, trans } = mlops;
  const title = trans.__('Open Feature');
  const target = featureTarget(targets) ?? (await askForFeature(mlops, title));
  return (
    target && {
      project: target.store.project.path,
      name: target.feature.name,
      listed: target.feature
    }
  );
}

/** Put lines into a new cell below the active one of the current notebook, and show it. */
async function insert(
  app: JupyterFrontEnd,
  { trans }: IMlops,
  notebooks: INotebookTracker | null,
  lines: string
): Promise<void> {
  const panel = notebooks?.currentWidget;
  if (!panel?.content.model) {
    const message = trans.__(
      'No notebook is open. Open one, and insert the feature once more.'
    );
    Notification.info(message, {
      autoClose: 12_000,
      actions: [
        {
          label: trans.__('Copy the lines'),
          callback: () => Clipboard.copyToSystem(lines)
        }
      ]
    });
    return;
  }
  const { NotebookActions } = await import('@jupyterlab/notebook');
  const notebook = panel.content;
  app.shell.activateById(panel.id);
  NotebookActions.insertBelow(notebook);
  if (notebook.activeCell?.model.type !== 'code') {
    NotebookActions.changeCellType(notebook, 'code');
  }
  notebook.activeCell?.model.sharedModel.setSource(lines);
}

/** One tab for each feature of a project. */
class Tabs {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly mlops: IMlops,
    private readonly opener: IOpener,
    private readonly rendermime: IRenderMimeRegistry
  ) {}

  readonly tracker = new WidgetTracker<FeatureTab>({
    namespace: 'mlops-feature'
  });

  async open(which: IWhich): Promise<void> {
    const { shell } = this.app;
    const isOpen = ({ content: { model } }: FeatureTab): boolean =>
      model.name === which.name && model.store.project.path === which.project;
    const made = this.tracker.find(isOpen) ?? (await this._create(which));
    // A double click asks twice.
    const tab = this.tracker.find(isOpen) ?? made;
    if (tab !== made) {
      made.dispose();
    }
    if (!this.tracker.has(tab)) {
      await this.tracker.add(tab);
      shell.add(tab, 'main', { type: 'MLOps Feature' });
    }
    shell.activateById(tab.id);
  }

  private async _create(which: IWhich): Promise<FeatureTab> {
    const { stores, targets, trans, client, features } = this.mlops;
    const project = await client.project(which.project);
    const { FeaturePanel } = await import('../feature/panel');
    const content = new FeaturePanel({
      lease: stores.acquire(project),
      files: features.files,
      name: which.name,
      listed: which.listed,
      commands: this.app.commands,
      targets,
      rendermime: this.rendermime,
      openFile: (path, line) => this.opener.openFile(project, path, line),
      trans
    });
    const tab = new MainAreaWidget({ content });
    tab.id = `mlops-feature-${project.id}-${which.name}`;
    tab.toolbar.hide();
    return tab;
  }
}
