/** Tagging the cells of the current notebook that all runs can share. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { Notebooks } from '../form/notebooks';
import { IMlops } from '../tokens';

/** A message stays for this long, in ms. */
const SHOWN = 8000;

export const sharePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:share',
  description: 'Tags the cells of a notebook that all its runs can share.',
  autoStart: true,
  requires: [IMlops, IDocumentManager, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    documents: IDocumentManager,
    tracker: INotebookTracker
  ): void => {
    const { commands } = app;
    const { trans } = mlops;
    const notebooks = new Notebooks(documents);
    commands.addCommand(CommandIDs.share, {
      label: trans.__('Tag Cells That All Runs Can Share'),
      caption: trans.__(
        'Tag the cells that do not depend on parameters and took time in earlier runs'
      ),
      describedBy: NO_ARGUMENTS,
      isEnabled: () => tracker.currentWidget !== null,
      execute: async () => {
        const path = tracker.currentWidget?.context.localPath;
        if (path !== undefined) {
          await attempt(share(mlops, notebooks, path));
        }
      }
    });
    tracker.currentChanged.connect(() => {
      commands.notifyCommandChanged(CommandIDs.share);
    });
  }
};

/** Tag what is worth it, and say how many cells that were. */
async function share(
  mlops: IMlops,
  notebooks: Notebooks,
  path: string
): Promise<void> {
  const { client, trans } = mlops;
  await notebooks.save(path);
  const project = await client.project(path);
  const notebook = PathExt.relative(`/${project.path}`, `/${path}`);
  const sharing = await client.explain(project.path, { notebook });
  const cells = sharing.cells.filter(({ state }) => state === 'suggested');
  if (cells.length > 0 && notebooks.share(path, cells)) {
    const message = trans._n(
      '%1 cell was tagged shared. It is executed once for all runs.',
      '%1 cells were tagged shared. They are executed once for all runs.',
      cells.length
    );
    Notification.success(message, { autoClose: SHOWN });
    return;
  }
  const why =
    sharing.measured > 0
      ? trans.__('No other cell is worth sharing.')
      : trans.__('Run the notebook once, so that its cells are measured.');
  Notification.info(why, { autoClose: SHOWN });
}
