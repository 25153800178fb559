/** The tabs of sweeps, which come back after a reload. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import {
  IThemeManager,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { searchIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { SweepModel } from '../sweep/model';
import type { ISweepState } from '../sweep/state';
import { NO_STATE, readState } from '../sweep/state';
import type { SweepPanel } from '../sweep/panel';
import type { Targets } from '../targets';
import { IMlops } from '../tokens';

type SweepTab = MainAreaWidget<SweepPanel>;

export const sweepPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:sweep',
  description: 'Opens sweeps in tabs of the main area.',
  autoStart: true,
  requires: [IMlops, IRenderMimeRegistry],
  optional: [ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ): void => {
    const { commands } = app;
    const { targets, trans } = mlops;
    const tracker = new WidgetTracker<SweepTab>({ namespace: 'mlops-sweep' });
    const opening = new Map<string, Promise<SweepTab>>();
    const open = async (which: IWhich): Promise<SweepTab> => {
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
    commands.addCommand(CommandIDs.openSweep, {
      label: trans.__('Open Sweep'),
      caption: trans.__('Open the table and chart of the sweep'),
      describedBy: { args: ARGUMENTS },
      isVisible: () => pointedAt(targets) !== null,
      execute: async args => {
        const { project, sweep, state } = args;
        const which =
          typeof project === 'string' && typeof sweep === 'string'
            ? { project, id: sweep, state: readState(state) }
            : pointedAt(targets);
        if (which) {
          await attempt(open(which));
        }
      }
    });
    addSearch(app, mlops, tracker, open);
    void restorer?.restore(tracker, {
      command: CommandIDs.openSweep,
      name: tab => tab.id,
      args: tab => savedArguments(tab.content.model)
    });
    themes?.themeChanged.connect(() => {
      tracker.forEach(tab => {
        tab.content.chart.redraw();
      });
    });
  }
};

/** The command that searches the sweep whose tab is shown, or that the user points at. */
function addSearch(
  { commands, shell }: JupyterFrontEnd,
  { targets, trans }: IMlops,
  tracker: WidgetTracker<SweepTab>,
  open: (which: IWhich) => Promise<SweepTab>
): void {
  const shown = (): SweepTab | null => {
    const tab = tracker.currentWidget;
    return tab && tab === shell.currentWidget ? tab : null;
  };
  commands.addCommand(CommandIDs.searchRuns, {
    label: trans.__('Search Runs of Sweep'),
    caption: trans.__('List the runs of the sweep on a condition'),
    icon: searchIcon,
    describedBy: NO_ARGUMENTS,
    isVisible: () => shown() !== null || pointedAt(targets) !== null,
    execute: async () => {
      const reach = async (): Promise<void> => {
        const which = pointedAt(targets);
        const current = which && targets.isPointed ? null : shown();
        const tab = current ?? (which && (await open(which)));
        tab?.content.model.search.reach();
      };
      await attempt(reach());
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
    sweep: {
      type: 'string',
      description: 'Id of the sweep; by default the one that has the focus.'
    },
    state: {
      type: 'object',
      description: 'Order and search of the table, and metric of the chart.'
    }
  }
} as const;

interface IWhich {
  readonly project: string;
  readonly id: string;
  readonly state: ISweepState;
}

function pointedAt({ current }: Targets): IWhich | null {
  return current?.kind === 'run' || current?.kind === 'sweep'
    ? {
        project: current.store.project.path,
        id: current.sweep.id,
        state: NO_STATE
      }
    : null;
}

function find(
  tracker: WidgetTracker<SweepTab>,
  which: IWhich
): SweepTab | undefined {
  return tracker.find(({ content: { model } }) => {
    return model.id === which.id && model.store.project.path === which.project;
  });
}

async function show(
  app: JupyterFrontEnd,
  tracker: WidgetTracker<SweepTab>,
  tab: SweepTab
): Promise<void> {
  if (!tracker.has(tab)) {
    await tracker.add(tab);
    tab.content.model.stateChanged.connect(() => void tracker.save(tab));
    app.shell.add(tab, 'main', { type: 'MLOps Sweep' });
  }
  app.shell.activateById(tab.id);
}

async function createTab(
  app: JupyterFrontEnd,
  mlops: IMlops,
  rendermime: IRenderMimeRegistry,
  which: IWhich
): Promise<SweepTab> {
  const { stores, targets, chosen, handlers, trans, client } = mlops;
  const project = await client.project(which.project);
  const { SweepPanel } = await import('../sweep/panel');
  const content = new SweepPanel({
    lease: stores.acquire(project),
    id: which.id,
    state: which.state,
    commands: app.commands,
    targets,
    chosen,
    handlers,
    rendermime,
    trans
  });
  const tab = new MainAreaWidget({ content });
  tab.id = `mlops-sweep-${project.id}-${which.id}`;
  tab.toolbar.hide();
  return tab;
}

function savedArguments(model: SweepModel): ReadonlyPartialJSONObject {
  const { sort, ...rest } = model.state;
  return {
    project: model.store.project.path,
    sweep: model.id,
    state: { ...rest, sort: sort && { ...sort } }
  };
}
