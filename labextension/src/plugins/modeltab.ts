/** The tabs of model versions, which come back after a reload. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ProjectView } from '../api/types';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { ModelPanel } from '../model/panel';
import type { IModelState, Part } from '../model/state';
import { NO_STATE, readState } from '../model/state';
import type { Targets } from '../targets';
import { IMlops, IOpener } from '../tokens';

type ModelTab = MainAreaWidget<ModelPanel>;

export const modelTabPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:model-tab',
  description: 'Opens model versions in tabs of the main area.',
  autoStart: true,
  requires: [IMlops, IOpener],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    opener: IOpener,
    restorer: ILayoutRestorer | null
  ): void => {
    const { targets, trans } = mlops;
    const tabs = new Tabs(app, mlops, opener);
    app.commands.addCommand(CommandIDs.openModel, {
      label: trans.__('Open Model'),
      caption: trans.__('Open the card of the model version'),
      describedBy: { args: ARGUMENTS },
      isVisible: () => targets.current?.kind === 'model',
      execute: async args => {
        const which = given(args) ?? pointedAt(targets, 'card');
        if (which) {
          await attempt(tabs.open(which));
        }
      }
    });
    addPartCommand(app, mlops, tabs, 'lineage', {
      id: CommandIDs.showLineage,
      label: trans.__('Show Lineage of Model'),
      caption: trans.__('Show what it was made from, and what was made of it')
    });
    addPartCommand(app, mlops, tabs, 'comparison', {
      id: CommandIDs.compareModel,
      label: trans.__('Compare Model Versions'),
      caption: trans.__('Show the version beside another one of the model')
    });
    addPartCommand(app, mlops, tabs, 'try', {
      id: CommandIDs.tryModel,
      label: trans.__('Try Model'),
      caption: trans.__('Ask the model version for a prediction')
    });
    void restorer?.restore(tabs.tracker, {
      command: CommandIDs.openModel,
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
    version: { type: 'number', description: 'Number of the version.' },
    state: {
      type: 'object',
      description: 'Which part of the tab is shown.'
    }
  }
} as const;

interface IWhich {
  readonly project: string;
  readonly name: string;
  readonly version: number;
  /** Null to leave an open tab as it is. */
  readonly state: IModelState | null;
}

function given(args: ReadonlyPartialJSONObject): IWhich | null {
  const { project, name, version, state } = args;
  return typeof project === 'string' &&
    typeof name === 'string' &&
    typeof version === 'number'
    ? {
        project,
        name,
        version,
        state: state === undefined ? null : readState(state)
      }
    : null;
}

function pointedAt(targets: Targets, part: Part): IWhich | null {
  const target = targets.current;
  return target?.kind === 'model'
    ? {
        project: target.store.project.path,
        name: target.model.name,
        version: target.model.version,
        state: { ...NO_STATE, part }
      }
    : null;
}

function addPartCommand(
  app: JupyterFrontEnd,
  { targets }: IMlops,
  tabs: Tabs,
  part: Part,
  words: {
    readonly id: string;
    readonly label: string;
    readonly caption: string;
  }
): void {
  app.commands.addCommand(words.id, {
    ...words,
    describedBy: NO_ARGUMENTS,
    isVisible: () => targets.current?.kind === 'model',
    execute: async () => {
      const which = pointedAt(targets, part);
      if (which) {
        await attempt(tabs.open(which));
      }
    }
  });
}

/** One tab for each model of a project. */
class Tabs {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly mlops: IMlops,
    private readonly opener: IOpener
  ) {}

  readonly tracker = new WidgetTracker<ModelTab>({ namespace: 'mlops-model' });

  /** Open a version, in the tab of its model if there is one. */
  async open(which: IWhich): Promise<void> {
    const { shell } = this.app;
    const key = JSON.stringify([which.project, which.name]);
    // A double click asks twice.
    const opening = this._opening.get(key) ?? this._find(which);
    const made = opening ?? this._create(which);
    if (made instanceof Promise) {
      this._opening.set(key, made);
    }
    const tab = await Promise.resolve(made).finally(() => {
      this._opening.delete(key);
    });
    if (!this.tracker.has(tab)) {
      await this.tracker.add(tab);
      const { model } = tab.content;
      model.stateChanged.connect(() => void this.tracker.save(tab));
      shell.add(tab, 'main', { type: 'MLOps Model' });
    } else {
      tab.content.model.switchTo(which.version);
      if (which.state) {
        tab.content.model.show(which.state.part);
      }
    }
    shell.activateById(tab.id);
  }

  private _find(which: IWhich): ModelTab | undefined {
    return this.tracker.find(
      ({ content: { model } }) =>
        model.name === which.name && model.store.project.path === which.project
    );
  }

  private async _create(which: IWhich): Promise<ModelTab> {
    const { stores, targets, trans, client, endpoints } = this.mlops;
    const { commands } = this.app;
    const project = await client.project(which.project);
    const { ModelPanel } = await import('../model/panel');
    const content = new ModelPanel({
      lease: stores.acquire(project),
      acquire: () => stores.acquire(project),
      endpoints: endpoints.client,
      name: which.name,
      version: which.version,
      state: which.state ?? NO_STATE,
      commands,
      targets,
      trans,
      openFile: path => this.opener.openFile(project, path),
      openNode: (kind, name) => {
        this._openNode(project, kind, name);
      }
    });
    const tab = new MainAreaWidget({ content });
    tab.id = `mlops-model-${project.id}-${which.name}`;
    tab.toolbar.hide();
    return tab;
  }

  /** Open what a node of a lineage stands for, where there is something to open. */
  private _openNode(project: ProjectView, kind: string, name: string): void {
    const { commands } = this.app;
    const { path } = project;
    if (kind === 'run') {
      void commands.execute(CommandIDs.openRun, { project: path, run: name });
    } else if (kind === 'data') {
      this.opener.openFile(project, name);
    } else if (kind === 'version') {
      const [, model = '', version = ''] = /^(.*)\/(\d+)$/.exec(name) ?? [];
      const args = { project: path, name: model, version: Number(version) };
      void commands.execute(CommandIDs.openModel, args);
    } else if (kind === 'endpoint') {
      void commands.execute(CommandIDs.openEndpoint, { project: path, name });
    } else if (kind === 'feature') {
      void commands.execute(CommandIDs.openFeature, { project: path, name });
    }
  }

  private readonly _opening = new Map<string, Promise<ModelTab>>();
}

function savedArguments({ model }: ModelPanel): ReadonlyPartialJSONObject {
  return {
    project: model.store.project.path,
    name: model.name,
    version: model.version,
    state: { ...model.state }
  };
}
