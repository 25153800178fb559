/** "Run with parameters…": from the file browser, a notebook, the palette and the panel. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import {
  FileDialog,
  IDefaultFileBrowser,
  IFileBrowserFactory
} from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { runIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { attempt } from '../components/attempt';
import { Notebooks } from '../form/notebooks';
import { IMlops } from '../tokens';
import { Announcer } from '../runs/announcer';

export const runPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:run',
  description: 'Asks for parameters and runs notebooks.',
  autoStart: true,
  requires: [IMlops, IDocumentManager],
  optional: [INotebookTracker, IFileBrowserFactory, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    documents: IDocumentManager,
    tracker: INotebookTracker | null,
    factory: IFileBrowserFactory | null,
    browser: IDefaultFileBrowser | null
  ): void => {
    const { commands, shell } = app;
    const { trans } = mlops;
    const notebooks = new Notebooks(documents);
    const announcer = new Announcer(
      mlops.stores,
      commands,
      trans,
      () => mlops.settings.notify
    );
    const selected = (): string | null => {
      const items = factory?.tracker.currentWidget?.selectedItems() ?? [];
      const found = [...items].find(item => item.type === 'notebook');
      return found ? documents.services.contents.localPath(found.path) : null;
    };
    const current = (): string | null => {
      const panel = tracker?.currentWidget;
      return panel && shell.currentWidget === panel
        ? panel.context.localPath
        : null;
    };
    commands.addCommand(CommandIDs.run, {
      label: trans.__('Run with Parameters…'),
      caption: trans.__('Run the notebook over values of its parameters'),
      icon: runIcon,
      describedBy: { args: ARGUMENTS },
      execute: async args => {
        const given = typeof args.path === 'string' ? args.path : null;
        const path =
          given ??
          (args.from === 'browser' ? selected() : current()) ??
          (await choose(documents, browser, mlops));
        if (path !== null) {
          await attempt(run(mlops, notebooks, announcer, app, path));
        }
      }
    });
  }
};

const ARGUMENTS = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      description:
        'Path of the notebook, relative to the root of the server; by default the current one.'
    },
    from: {
      type: 'string',
      enum: ['browser'],
      description: 'Take the notebook that is selected in the file browser.'
    }
  }
} as const;

/** Let the user choose a notebook. */
async function choose(
  manager: IDocumentManager,
  browser: IDefaultFileBrowser | null,
  mlops: IMlops
): Promise<string | null> {
  const { trans } = mlops;
  const result = await FileDialog.getOpenFiles({
    manager,
    title: trans.__('Choose a notebook to run'),
    defaultPath: browser?.model.path ?? '',
    filter: item => (item.type === 'notebook' ? {} : null)
  });
  const [file] = result.value ?? [];
  return result.button.accept && file?.type === 'notebook'
    ? manager.services.contents.localPath(file.path)
    : null;
}

/** Show the form, start the runs, and show them in the panel. */
async function run(
  mlops: IMlops,
  notebooks: Notebooks,
  announcer: Announcer,
  app: JupyterFrontEnd,
  path: string
): Promise<void> {
  const { client, projects, runs, trans } = mlops;
  if (Dialog.tracker.size > 0) {
    return;
  }
  // The form shows what the notebook declares, so what was typed into it has to be on the disk.
  await notebooks.save(path);
  const project = await client.project(path);
  const notebook = PathExt.relative(`/${project.path}`, `/${path}`);
  const options = { client, notebooks, project, path, notebook, trans };
  const { askAndRun } = await import('../form/dialog');
  const sweep = await askAndRun(options);
  if (sweep) {
    announcer.watch(project, sweep);
    await app.commands.execute(CommandIDs.openPanel);
    projects.show(project);
    projects.current?.put(sweep);
    runs.reveal(sweep.id);
  }
}
