/** Commands that concern the panel as a whole. */
import { InputDialog, showDialog, Dialog } from '@jupyterlab/apputils';
import { filterIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { ProjectView } from '../api/types';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { IMlops } from '../tokens';
import { findingsBody } from './findings';

export function addSidebarCommands(
  commands: CommandRegistry,
  mlops: IMlops,
  openPanel: () => void
): void {
  const { projects, runs, models, features, trans } = mlops;
  commands.addCommand(CommandIDs.openPanel, {
    label: trans.__('Show MLOps Panel'),
    describedBy: NO_ARGUMENTS,
    execute: openPanel
  });
  commands.addCommand(CommandIDs.filter, {
    label: trans.__('Filter Runs'),
    caption: trans.__('Filter by notebook, parameter, status or error'),
    icon: filterIcon,
    describedBy: NO_ARGUMENTS,
    isToggled: () => runs.isFiltering,
    execute: () => {
      runs.isFiltering = !runs.isFiltering;
      if (!projects.isWanted) {
        openPanel();
      }
    }
  });
  commands.addCommand(CommandIDs.filterModels, {
    label: trans.__('Filter Models'),
    caption: trans.__('Filter by name, owner, task, tags, data or metrics'),
    icon: filterIcon,
    describedBy: NO_ARGUMENTS,
    isToggled: () => models.isFiltering,
    execute: () => {
      models.isFiltering = !models.isFiltering;
      if (!projects.isWanted) {
        openPanel();
      }
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Runs, Pipeline, Models and Features'),
    icon: refreshIcon,
    describedBy: NO_ARGUMENTS,
    execute: async () => {
      await runs.retry();
      const pipeline = projects.current?.pipeline;
      if (pipeline?.isWatched) {
        await pipeline.refresh();
      }
      await features.refresh();
    }
  });
  commands.addCommand(CommandIDs.doctor, {
    label: trans.__('Check Set-up…'),
    caption: trans.__('Look for what keeps runs from working'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => projects.current !== null,
    execute: () => attempt(checkSetup(mlops))
  });
  addSwitch(commands, mlops);
}

function addSwitch(commands: CommandRegistry, mlops: IMlops): void {
  const { projects, trans } = mlops;
  const named = (args: ReadonlyPartialJSONObject): ProjectView | undefined =>
    projects.known.find(project => project.path === args.path);
  commands.addCommand(CommandIDs.switchProject, {
    label: args => {
      if (args.path === null) {
        return trans.__('Follow the Current Notebook');
      }
      const project = named(args);
      return project
        ? `${project.name} (/${project.path})`
        : trans.__('Switch Project…');
    },
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: ['string', 'null'],
            description: trans.__(
              'Path of the project; null follows the current notebook; unset asks.'
            )
          }
        }
      }
    },
    isToggleable: true,
    isToggled: args =>
      args.path === null
        ? !projects.isPinned
        : projects.isPinned && projects.current?.project.path === args.path,
    execute: async args => {
      const path = args.path === undefined ? await ask(mlops) : args.path;
      if (path !== undefined) {
        await projects.choose(named({ path }) ?? null);
      }
    }
  });
}

/** Ask for a project. Returns null for the one of the current notebook, undefined for none. */
async function ask(mlops: IMlops): Promise<string | null | undefined> {
  const { projects, trans } = mlops;
  await projects.list();
  const follow = trans.__('Follow the current notebook');
  const items = projects.known.map(project => `/${project.path}`);
  const result = await InputDialog.getItem({
    title: trans.__('Switch project'),
    items: [follow, ...items]
  });
  if (!result.button.accept || result.value === null) {
    return undefined;
  }
  return result.value === follow ? null : result.value.slice(1);
}

async function checkSetup(mlops: IMlops): Promise<void> {
  const { projects, client, trans } = mlops;
  const findings = await client.doctor(projects.current?.project.path ?? '');
  await showDialog({
    title: trans.__('Set-up of %1', projects.current?.project.name ?? ''),
    body: findingsBody(findings, trans),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}
