/** Commands and menus of runs, sweeps and models. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDocumentWidget } from '@jupyterlab/docregistry';

import { returnFromMenu } from '../components/tree';
import { Notebooks } from '../form/notebooks';
import { addModelCommands } from '../models/commands';
import { addRunCommands } from '../runs/commands';
import { addResumeCommands } from '../runs/resuming';
import { IMlops, IOpener } from '../tokens';

export const openerPlugin: JupyterFrontEndPlugin<IOpener> = {
  id: 'jupyter-mlops:opener',
  description: 'Opens the notebooks of runs.',
  autoStart: true,
  provides: IOpener,
  requires: [IDocumentManager],
  activate: (_: JupyterFrontEnd, documents: IDocumentManager): IOpener => {
    const notebooks = new Notebooks(documents);
    return {
      openOutput: async (project, run) => {
        if (run.output !== null) {
          const path = PathExt.join(project.path, run.output);
          await revert(documents, path);
          await notebooks.openOutput(path, run.status === 'failed');
        }
      },
      openWritten: async (project, notebook) => {
        const path = PathExt.join(project.path, notebook);
        await revert(documents, path);
        notebooks.open(path);
      },
      openSource: (project, notebook) => {
        notebooks.open(PathExt.join(project.path, notebook));
      },
      openFile: (project, path, line) => {
        const file = PathExt.join(project.path, path);
        const widget = documents.openOrReveal(file);
        if (widget && line !== undefined) {
          void goTo(widget, line);
        }
      }
    };
  }
};

/** The part of an editor's tab that is used here. */
interface IEditing {
  readonly editor?: {
    setCursorPosition(position: { line: number; column: number }): void;
  };
}

/** Go to a line of a file that has been opened in an editor. */
async function goTo(widget: IDocumentWidget, line: number): Promise<void> {
  await widget.revealed;
  await widget.context.ready;
  const { editor } = widget.content as IEditing;
  editor?.setCursorPosition({ line: line - 1, column: 0 });
}

/** Read a notebook that is open once more, unless the user has changed it. */
async function revert(
  documents: IDocumentManager,
  path: string
): Promise<void> {
  const widget = documents.findWidget(path, null);
  const context = widget && documents.contextForWidget(widget);
  if (context && !context.model.dirty) {
    await context.revert();
  }
}

export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:runs',
  description: 'Adds the commands of runs, sweeps and models.',
  autoStart: true,
  requires: [IMlops, IOpener],
  activate: (app: JupyterFrontEnd, mlops: IMlops, opener: IOpener): void => {
    const { commands, contextMenu } = app;
    const { targets, trans } = mlops;
    addRunCommands({ commands, targets, opener, trans });
    addResumeCommands({ commands, targets, opener, trans });
    addModelCommands({ commands, targets, opener, trans });
    // The command that was chosen begins right after its menu has closed.
    contextMenu.menu.aboutToClose.connect(() => {
      queueMicrotask(() => {
        targets.release();
        returnFromMenu();
      });
    });
  }
};
