/** The tab of a project's pipeline, which comes back after a reload, and the commands of stages. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { addPipelineCommands } from '../pipeline/commands';
import type { IPipelineState } from '../pipeline/state';
import { NO_STATE, readState } from '../pipeline/state';
import type { PipelineTabPanel } from '../pipeline/tab';
import type { PipelineTabModel } from '../pipeline/tabmodel';
import { TEMPLATE } from '../pipeline/template';
import { addViewingCommands } from '../pipeline/viewing';
import { IMlops, IOpener } from '../tokens';

type PipelineTab = MainAreaWidget<PipelineTabPanel>;

export const pipelinePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:pipeline',
  description:
    'Opens pipelines in tabs of the main area, and runs their stages.',
  autoStart: true,
  requires: [IMlops, IOpener],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    opener: IOpener,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands } = app;
    const tabs = new Tabs(app, mlops, opener);
    const inFront = (): PipelineTabPanel | null => tabs.inFront;
    addPipelineCommands({
      ...mlops,
      commands,
      inFront: () => inFront()?.model.store ?? null
    });
    addViewingCommands({
      ...mlops,
      commands,
      opener,
      inFront,
      open: ({ project }) => tabs.open(project.path, null)
    });
    addOpenCommand(app, mlops, tabs);
    addWriteCommand(app, mlops, opener);
    void restorer?.restore(tabs.tracker, {
      command: CommandIDs.openPipeline,
      name: tab => tab.id,
      args: tab => savedArguments(tab.content.model)
    });
    const notify = (): void => commands.notifyCommandChanged();
    tabs.tracker.currentChanged.connect(notify);
    // Events come in numbers; what can be done changes seldom.
    let known = '';
    mlops.pipeline.changed.connect(({ pipeline }) => {
      const now = `${pipeline?.isActive ?? false} ${pipeline?.exists ?? false}`;
      if (now !== known) {
        known = now;
        notify();
      }
    });
  }
};

function addOpenCommand(
  app: JupyterFrontEnd,
  { projects, trans }: IMlops,
  tabs: Tabs
): void {
  app.commands.addCommand(CommandIDs.openPipeline, {
    label: trans.__('Open Pipeline'),
    caption: trans.__('Open the graph of the project’s stages'),
    describedBy: { args: ARGUMENTS },
    isEnabled: args =>
      typeof args.project === 'string' || projects.current !== null,
    execute: async args => {
      const project =
        typeof args.project === 'string'
          ? args.project
          : projects.current?.project.path;
      if (project !== undefined) {
        const state = args.state === undefined ? null : readState(args.state);
        await attempt(tabs.open(project, state));
      }
    }
  });
}

const ARGUMENTS = {
  type: 'object',
  properties: {
    project: {
      type: 'string',
      description:
        'Path of the project, relative to the root of the server; by default the one of the panel.'
    },
    state: {
      type: 'object',
      description: 'What is shown of the pipeline, and how large.'
    }
  }
} as const;

/** Begin a pipeline with an example that is commented out. */
function addWriteCommand(
  app: JupyterFrontEnd,
  { projects, trans }: IMlops,
  opener: IOpener
): void {
  const { contents } = app.serviceManager;
  app.commands.addCommand(CommandIDs.writePipeline, {
    label: trans.__('Write dvc.yaml'),
    caption: trans.__('Open the file that declares stages, or begin one'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => projects.current !== null,
    execute: async () => {
      const project = projects.current?.project;
      if (project) {
        const path = PathExt.join(project.path, 'dvc.yaml');
        const write = async (): Promise<void> => {
          const known = await contents.get(project.path, { content: true });
          const files = known.content as readonly { readonly name: string }[];
          if (!files.some(({ name }) => name === 'dvc.yaml')) {
            const type = { type: 'file', format: 'text' } as const;
            await contents.save(path, { ...type, content: TEMPLATE });
          }
        };
        if (await attempt(write())) {
          opener.openFile(project, 'dvc.yaml');
        }
      }
    }
  });
}

/** One tab for each project. */
class Tabs {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly mlops: IMlops,
    private readonly opener: IOpener
  ) {}

  readonly tracker = new WidgetTracker<PipelineTab>({
    namespace: 'mlops-pipeline'
  });

  /** The tab that is in front, or null. */
  get inFront(): PipelineTabPanel | null {
    const { currentWidget } = this.tracker;
    return currentWidget && this.app.shell.currentWidget === currentWidget
      ? currentWidget.content
      : null;
  }

  /** Open the tab of a project, or go to it. */
  async open(
    project: string,
    state: IPipelineState | null
  ): Promise<PipelineTabPanel> {
    const { shell } = this.app;
    // A double click asks twice.
    const tab = await (this._opening.get(project) ??
      this._make(project, state));
    if (!this.tracker.has(tab)) {
      await this.tracker.add(tab);
      tab.content.model.stateChanged.connect(() => void this.tracker.save(tab));
      tab.content.model.stateChanged.connect(() => {
        this.app.commands.notifyCommandChanged(CommandIDs.toggleList);
      });
      shell.add(tab, 'main', { type: 'MLOps Pipeline' });
    }
    shell.activateById(tab.id);
    return tab.content;
  }

  private _make(
    project: string,
    state: IPipelineState | null
  ): Promise<PipelineTab> | PipelineTab {
    const found = this.tracker.find(
      ({ content }) => content.model.store.project.path === project
    );
    if (found) {
      return found;
    }
    const opening = this._create(project, state ?? NO_STATE).finally(() => {
      this._opening.delete(project);
    });
    this._opening.set(project, opening);
    return opening;
  }

  private async _create(
    path: string,
    state: IPipelineState
  ): Promise<PipelineTab> {
    const { stores, targets, handlers, trans, client } = this.mlops;
    const project = await client.project(path);
    const { PipelineTabPanel } = await import('../pipeline/tab');
    const content = new PipelineTabPanel({
      lease: stores.acquire(project),
      state,
      commands: this.app.commands,
      targets,
      handlers,
      openFile: file => this.opener.openFile(project, file),
      trans
    });
    const tab = new MainAreaWidget({ content });
    tab.id = `mlops-pipeline-${project.id}`;
    tab.toolbar.hide();
    return tab;
  }

  private readonly _opening = new Map<string, Promise<PipelineTab>>();
}

function savedArguments(model: PipelineTabModel): ReadonlyPartialJSONObject {
  const { zoom, unfolded, ...rest } = model.state;
  return {
    project: model.store.project.path,
    state: { ...rest, unfolded: [...unfolded], zoom: zoom && { ...zoom } }
  };
}
