/** The panel in the left sidebar, which follows the current notebook. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { DocumentWidget } from '@jupyterlab/docregistry';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import { addSidebarCommands } from '../sidebar/commands';
import { Sidebar } from '../sidebar/panel';
import { IMlops } from '../tokens';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:panel',
  description: 'Adds the panel of runs and models to the left sidebar.',
  autoStart: true,
  requires: [IMlops, ITranslator],
  optional: [
    ILabShell,
    ILayoutRestorer,
    IDefaultFileBrowser,
    IStateDB,
    ICommandPalette
  ],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    translator: ITranslator,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    browser: IDefaultFileBrowser | null,
    state: IStateDB | null,
    palette: ICommandPalette | null
  ): void => {
    const { commands } = app;
    const { runs: model, trans } = mlops;
    const options = { ...mlops, model, commands, state, translator };
    const sidebar = new Sidebar(options);
    app.shell.add(sidebar, 'left', { rank: 350, type: 'MLOps' });
    addSidebarCommands(commands, mlops, () => {
      app.shell.activateById(sidebar.id);
    });
    restorer?.add(sidebar, sidebar.id);
    void app.restored
      .then(() => browser?.model.restored)
      .then(() => {
        follow(mlops, labShell, browser);
      });
    const category = trans.__('MLOps');
    Object.values(CommandIDs).forEach(command =>
      palette?.addItem({ command, category })
    );
  }
};

/** Keep the panel at the project of the current notebook, or of the folder being browsed. */
function follow(
  mlops: IMlops,
  labShell: ILabShell | null,
  browser: IDefaultFileBrowser | null
): void {
  const { projects } = mlops;
  const onWidget = (_: unknown, widget: Widget | null): void => {
    if (widget instanceof DocumentWidget) {
      void projects.follow(widget.context.localPath, false);
    }
  };
  labShell?.currentChanged.connect((shell, { newValue }) => {
    onWidget(shell, newValue);
  });
  void projects.follow(browser?.model.path ?? '', true);
  onWidget(null, labShell?.currentWidget ?? null);
  browser?.model.pathChanged.connect((_, { newValue }) => {
    void projects.follow(newValue, true);
  });
}
