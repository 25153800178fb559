/** The tabs of runs, which come back after a reload. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { RunPanel } from '../run/panel';
import type { IRunState } from '../run/state';
import { NO_STATE, readState } from '../run/state';
import { runTarget, sweepTarget } from '../runs/commands';
import type { Targets } from '../targets';
import { IMlops } from '../tokens';

type RunTab = MainAreaWidget<RunPanel>;

export const runTabPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:run-tab',
  description: 'Opens runs in tabs of the main area.',
  autoStart: true,
  requires: [IMlops, IRenderMimeRegistry],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null
  ): void => {
    const { targets, trans } = mlops;
    const tracker = new WidgetTracker<RunTab>({ namespace: 'mlops-run' });
    const opening = new Map<string, Promise<RunTab>>();
    const open = async (which: IWhich): Promise<RunTab> => {
      const key = JSON.stringify([which.project, which.id]);
      // A double click asks twice.
      const tab =
        opening.get(key) ??
        find(tracker, which) ??
        createTab(app, mlops, rendermime, which);
      if (tab instanceof Promise) {
        opening.set(key, tab);
      }
      try {
        await show(app, tracker, await tab);
        return await tab;
      } finally {
        opening.delete(key);
      }
    };
    addShowArtifacts(app, mlops, open);
    app.commands.addCommand(CommandIDs.openRun, {
      label: trans.__('Open Run'),
      caption: trans.__('Open the cells, outputs and resources of the run'),
      describedBy: { args: ARGUMENTS },
      isVisible: () => isRun(targets),
      execute: async args => {
        await attempt(
          (async () => {
            const which = given(args) ?? (await pointedAt(targets));
            if (which) {
              await open(which);
            }
          })()
        );
      }
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openRun,
      name: tab => tab.id,
      args: tab => savedArguments(tab.content)
    });
  }
};

/** Open the tab of a run at the part that shows what the run kept. */
function addShowArtifacts(
  app: JupyterFrontEnd,
  { targets, trans }: IMlops,
  open: (which: IWhich) => Promise<RunTab>
): void {
  app.commands.addCommand(CommandIDs.showArtifacts, {
    label: trans.__('Show Artifacts'),
    caption: trans.__('Show the files that the run kept'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => isRun(targets),
    execute: async () => {
      const show = async (): Promise<void> => {
        const which = await pointedAt(targets);
        if (which) {
          (await open(which)).content.model.show('artifacts');
        }
      };
      await attempt(show());
    }
  });
}

const ARGUMENTS = {
  type: 'object',
  properties: {
    project: {
      type: 'string',
      description: 'Path of the project, relative to the root of the server.'
    },
    run: {
      type: 'string',
      description: 'Id of the run; by default the one that has the focus.'
    },
    sweep: {
      type: 'string',
      description: 'Id of the sweep that the run belongs to.'
    },
    state: {
      type: 'object',
      description: 'Which part of the tab is shown.'
    }
  }
} as const;

interface IWhich {
  readonly project: string;
  readonly id: string;
  /** Null if it has to be looked up. */
  readonly sweep: string | null;
  readonly state: IRunState;
}

/** Whether the user points at a run, or at the sweep of a single one. */
function isRun(targets: Targets): boolean {
  const target = targets.current;
  return (
    target?.kind === 'run' ||
    (target?.kind === 'sweep' && target.sweep.kind === 'run')
  );
}

function given(args: ReadonlyPartialJSONObject): IWhich | null {
  const { project, run, sweep, state } = args;
  return typeof project === 'string' && typeof run === 'string'
    ? {
        project,
        id: run,
        sweep: typeof sweep === 'string' ? sweep : null,
        state: readState(state)
      }
    : null;
}

/** The run that the user points at; the one of a single run's sweep may not be known yet. */
async function pointedAt(targets: Targets): Promise<IWhich | null> {
  const known = runTarget(targets);
  const single = known ?? sweepTarget(targets);
  if (!single) {
    return null;
  }
  const { store, sweep } = single;
  const project = store.project.path;
  const run = known?.run ?? (await store.client.runs(project, sweep.id))[0];
  return run ? { project, id: run.id, sweep: sweep.id, state: NO_STATE } : null;
}

function find(
  tracker: WidgetTracker<RunTab>,
  which: IWhich
): RunTab | undefined {
  return tracker.find(({ content: { model } }) => {
    return model.id === which.id && model.store.project.path === which.project;
  });
}

async function show(
  app: JupyterFrontEnd,
  tracker: WidgetTracker<RunTab>,
  tab: RunTab
): Promise<void> {
  if (!tracker.has(tab)) {
    await tracker.add(tab);
    tab.content.model.stateChanged.connect(() => void tracker.save(tab));
    app.shell.add(tab, 'main', { type: 'MLOps Run' });
  }
  app.shell.activateById(tab.id);
}

async function createTab(
  app: JupyterFrontEnd,
  mlops: IMlops,
  rendermime: IRenderMimeRegistry,
  which: IWhich
): Promise<RunTab> {
  const { stores, targets, trans, client } = mlops;
  const { contents } = app.serviceManager;
  const project = await client.project(which.project);
  const sweep =
    which.sweep ?? (await client.run(project.path, which.id)).run.sweep_id;
  const { RunPanel } = await import('../run/panel');
  const content = new RunPanel({
    lease: stores.acquire(project),
    sweep,
    id: which.id,
    state: which.state,
    readNotebook: async path => {
      const file = await contents.get(path, {
        type: 'notebook',
        content: true
      });
      return file.content as INotebookContent;
    },
    commands: app.commands,
    targets,
    rendermime,
    trans
  });
  const tab = new MainAreaWidget({ content });
  tab.id = `mlops-run-${project.id}-${which.id}`;
  tab.toolbar.hide();
  return tab;
}

function savedArguments({ model }: RunPanel): ReadonlyPartialJSONObject {
  return {
    project: model.store.project.path,
    run: model.id,
    sweep: model.sweepId,
    state: { ...model.state }
  };
}
