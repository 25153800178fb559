/** The tabs of runs that are compared, which come back after a reload. */
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
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import type { ComparePanel } from '../compare/panel';
import type { ICompareState } from '../compare/state';
import { NO_STATE, readState } from '../compare/state';
import { attempt } from '../components/attempt';
import { IMlops } from '../tokens';

type CompareTab = MainAreaWidget<ComparePanel>;

export const comparePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:compare',
  description: 'Sets runs side by side in tabs of the main area.',
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
    const tracker = new WidgetTracker<CompareTab>({
      namespace: 'mlops-compare'
    });
    addChoice(app, mlops);
    app.commands.addCommand(CommandIDs.compareRuns, {
      label: () => compareLabel(mlops),
      caption: mlops.trans.__('Set the runs side by side, what differs first'),
      describedBy: { args: ARGUMENTS },
      isVisible: () => pointedAt(mlops) !== null,
      execute: async args => {
        const which = given(args) ?? pointedAt(mlops);
        if (which) {
          await attempt(open(app, mlops, rendermime, tracker, which));
        }
      }
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.compareRuns,
      name: tab => tab.id,
      args: ({ content: { model } }) => ({
        project: model.store.project.path,
        ids: [...model.ids],
        state: { ...model.state }
      })
    });
    themes?.themeChanged.connect(() => {
      tracker.forEach(tab => {
        tab.content.redraw();
      });
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
    ids: {
      type: 'array',
      items: { type: 'string' },
      description:
        'Ids of runs and sweeps; by default the chosen runs, or the sweep that has the focus.'
    },
    state: {
      type: 'object',
      description: 'Which part is shown, and of what.'
    }
  }
} as const;

interface IWhich {
  readonly project: string;
  readonly ids: readonly string[];
  readonly state: ICompareState;
}

/** The command that chooses a run to be compared. */
function addChoice(
  app: JupyterFrontEnd,
  { targets, chosen, trans }: IMlops
): void {
  app.commands.addCommand(CommandIDs.chooseRun, {
    label: trans.__('Select Run for Comparison'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => targets.current?.kind === 'run',
    isToggleable: true,
    isToggled: () => {
      const target = targets.current;
      return (
        target?.kind === 'run' &&
        chosen.has(target.store.project.path, target.run.id)
      );
    },
    execute: () => {
      const target = targets.current;
      if (target?.kind === 'run') {
        chosen.toggle(target.store.project.path, target.run.id);
      }
    }
  });
}

function compareLabel(mlops: IMlops): string {
  const count = pointedAt(mlops)?.ids.length ?? 0;
  return count > 1
    ? mlops.trans.__('Compare %1 Selected Runs', count)
    : mlops.trans.__('Compare Runs');
}

/** The runs that were chosen; if they are too few, those of the sweep that the user points at. */
function pointedAt({ targets, chosen, projects }: IMlops): IWhich | null {
  const target = targets.current;
  const isOfRuns = target?.kind === 'run' || target?.kind === 'sweep';
  const project = isOfRuns
    ? target.store.project.path
    : projects.current?.project.path;
  if (project === undefined) {
    return null;
  }
  const ids = chosen.of(project);
  if (ids.length > 1) {
    return { project, ids, state: NO_STATE };
  }
  return isOfRuns && target.sweep.total > 1
    ? { project, ids: [target.sweep.id], state: NO_STATE }
    : null;
}

function given(args: ReadonlyPartialJSONObject): IWhich | null {
  const { project, ids, state } = args;
  return typeof project === 'string' && Array.isArray(ids) && ids.length > 0
    ? { project, ids: ids.map(String), state: readState(state) }
    : null;
}

async function open(
  app: JupyterFrontEnd,
  { stores, trans, client }: IMlops,
  rendermime: IRenderMimeRegistry,
  tracker: WidgetTracker<CompareTab>,
  { project: path, ids, state }: IWhich
): Promise<void> {
  const project = await client.project(path);
  const id = `mlops-compare-${project.id}-${ids.join('-')}`;
  const known = tracker.find(tab => tab.id === id);
  if (known) {
    app.shell.activateById(id);
    return;
  }
  const { ComparePanel } = await import('../compare/panel');
  const content = new ComparePanel({
    lease: stores.acquire(project),
    ids,
    state,
    commands: app.commands,
    rendermime,
    trans
  });
  const tab = new MainAreaWidget({ content });
  tab.id = id;
  tab.toolbar.hide();
  await tracker.add(tab);
  content.model.stateChanged.connect(() => void tracker.save(tab));
  app.shell.add(tab, 'main', { type: 'MLOps Comparison' });
  app.shell.activateById(id);
}
